import { join } from "node:path";
import { replaceFile } from "@ivy/files";
import type { NodeContext } from "@ivy/lifecycle/child";
import { configDigest, ForeignConfig, type State } from "@ivy/types";

/** How many configurations are remembered as handled; the server repeats only its newest. */
const REMEMBERED = 100;

/** A configuration that could not be taken (a full disk) is tried again after this time, in milliseconds. */
const AGAIN_MS = 60_000;

/** What a backend needs of the context of its process to take configurations. */
export type ConfigReceiver = Pick<NodeContext, "logger" | "messages" | "state" | "configDir">;

/** A configuration that has arrived. */
interface Arrival {
  revision: number;
  digest: string;
  /** What is still to be done, in this order; each is done once. */
  steps: (() => Promise<unknown>)[];
  /** People know that it could not be taken. */
  isTold: boolean;
  again?: NodeJS.Timeout;
}

/** What has come last, by the state that it is to be noted in. */
const newest = new WeakMap<ConfigReceiver["state"], Arrival>();

/**
 * Takes a configuration that has arrived from the server: answers that it is received, and leaves it for the main
 * process, which checks it and puts it in force. One that is known already, by revision and content, is passed over,
 * for a server repeats its configuration after every reconnect.
 *
 * A power cut at any instruction leaves it known or unknown, never in between: it is known once the state says so,
 * and until then the server's next repetition begins anew. Where it cannot be taken now, that is logged, and tried again
 * until it is, or until another one arrives: the server may well stay connected, and not repeat it.
 *
 * @param received - the configuration as the server holds it
 * @param revision - the one that counts, which is written into the configuration: that of the server, where it counts
 *   the revisions itself, or the one that the configuration carries
 */
export async function receiveConfig(received: object, revision: number, node: ConfigReceiver): Promise<void> {
  const config = withRevision(received, revision);
  const digest = configDigest(config);
  const arrival: Arrival = { revision, digest, steps: stepsWith(config, digest, node), isTold: false };
  clearTimeout(newest.get(node.state)?.again);
  newest.set(node.state, arrival);
  await take(arrival, node);
}

async function take(arrival: Arrival, node: ConfigReceiver): Promise<void> {
  try {
    await goOn(arrival, node);
  } catch (error) {
    const text = `The configuration of revision ${arrival.revision} could not be taken; tried again until it can`;
    if (!arrival.isTold) node.logger.error(text, String(error));
    arrival.isTold = true;
    if (newest.get(node.state) === arrival)
      arrival.again = setTimeout(() => void take(arrival, node), AGAIN_MS).unref();
  }
}

async function goOn({ revision, digest, steps }: Arrival, { state, logger }: ConfigReceiver): Promise<void> {
  if (isKnown(state.load(), revision, digest)) {
    logger.debug(`The configuration of revision ${revision} is known already`);
    return;
  }
  for (const step of [...steps]) {
    await step();
    steps.shift();
  }
}

/** What is to be done with one that is not known. */
function stepsWith(config: WithRevision, digest: string, node: ConfigReceiver): Arrival["steps"] {
  const { logger, messages } = node;
  const { config_revision, software_version } = config.general;
  // No more of it: which of its fields are secret, the schema of the version that it is meant for says.
  const shown = { general: { config_revision, software_version } };
  const answerReceived = async () => {
    await messages.addMessage({ variant: "config", status: "received", config: shown });
    logger.info(
      `Received the configuration of revision ${config_revision} for software version ${software_version}`,
    );
  };
  const result = ForeignConfig.safeParse(config);
  if (result.success) return [answerReceived, () => leaveForMain(result.data, digest, node)];
  // What cannot even be read as a configuration for any version is answered here, once.
  const reason = describe(result.error.issues);
  const answerRejected = async () => {
    await messages.addMessage({ variant: "config", status: "rejected", config: shown, reason });
    logger.error(`The configuration of revision ${config_revision} is rejected`, reason);
  };
  return [answerReceived, answerRejected, () => noteRejection(config_revision, digest, reason, node)];
}

type WithRevision = Record<string, unknown> & {
  general: Record<string, unknown> & { config_revision: number };
};

/** Whoever counts the revisions, the count that was given is the one that holds. */
function withRevision(received: object, revision: number): WithRevision {
  const general = "general" in received && typeof received.general === "object" ? received.general : {};
  return { ...received, general: { ...general, config_revision: revision } };
}

function isKnown({ handled_configs, pending_configs }: State, revision: number, digest: string): boolean {
  return (
    handled_configs.some((handled) => handled.config_revision === revision && handled.digest === digest) ||
    pending_configs.some((pending) => pending.digest === digest)
  );
}

async function leaveForMain(
  config: ForeignConfig,
  digest: string,
  { state, configDir }: ConfigReceiver,
): Promise<void> {
  const { config_revision, software_version } = config.general;
  const file = `config.${config_revision}-${digest.slice(0, 12)}.pending.json`;
  await state.update((draft) => {
    if (isKnown(draft, config_revision, digest)) return;
    // With the lock held: a file that the state does not name is taken for what nobody waits for, and removed.
    replaceFile(join(configDir, file), JSON.stringify(config), 0o600);
    draft.pending_configs.push({ general: { config_revision, software_version }, digest, file });
  });
}

async function noteRejection(
  config_revision: number,
  digest: string,
  reason: string,
  { state }: ConfigReceiver,
): Promise<void> {
  await state.update((draft) => {
    const verdict = { config_revision, digest, outcome: "rejected" as const, reason };
    draft.handled_configs = [...draft.handled_configs, verdict].slice(-REMEMBERED);
  });
}

function describe(issues: readonly { path: readonly PropertyKey[]; message: string }[]): string {
  return issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
}
