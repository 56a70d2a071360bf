import { join } from "node:path";
import { replaceFile } from "@ivy/files";
import type { NodeContext } from "@ivy/lifecycle/child";
import { configDigest, ForeignConfig, redact, type State } from "@ivy/types";

/** How many configurations are remembered as handled; the server repeats only its newest. */
const REMEMBERED = 100;

/** What a backend needs of the context of its process to take configurations. */
export type ConfigReceiver = Pick<NodeContext, "logger" | "messages" | "state" | "configDir">;

/**
 * Takes a configuration that has arrived from the server: answers that it is received, and leaves it for the main
 * process, which checks it and puts it in force. One that is known already, by revision and content, is passed over,
 * for a server repeats its configuration after every reconnect.
 *
 * A power cut at any instruction leaves it known or unknown, never in between: it is known once the state says so,
 * and until then the server's next repetition begins anew.
 *
 * @param received - the configuration as the server holds it
 * @param revision - the one that counts, which is written into the configuration: that of the server, where it counts
 *   the revisions itself, or the one that the configuration carries
 */
export async function receiveConfig(received: object, revision: number, node: ConfigReceiver): Promise<void> {
  const config = withRevision(received, revision);
  const digest = configDigest(config);
  if (isKnown(node.state.load(), revision, digest)) {
    node.logger.debug(`The configuration of revision ${revision} is known already`);
    return;
  }
  const shown = redact(config);
  node.logger.info(`Received the configuration of revision ${revision}`, JSON.stringify(shown, undefined, 2));
  const result = ForeignConfig.safeParse(config);
  await node.messages.addMessage({ variant: "config", status: "received", config: shown });
  if (result.success) await leaveForMain(result.data, digest, node);
  else await reject(shown, digest, describe(result.error.issues), node);
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
  replaceFile(join(configDir, file), JSON.stringify(config), 0o600);
  await state.update((draft) => {
    if (isKnown(draft, config_revision, digest)) return;
    draft.pending_configs.push({ general: { config_revision, software_version }, digest, file });
  });
}

/** What cannot even be read as a configuration for any version is answered here, once. */
async function reject(
  shown: WithRevision,
  digest: string,
  reason: string,
  { logger, messages, state }: ConfigReceiver,
): Promise<void> {
  const config_revision = shown.general.config_revision;
  logger.error(`The configuration of revision ${config_revision} is rejected`, reason);
  await messages.addMessage({ variant: "config", status: "rejected", config: shown, reason });
  await state.update((draft) => {
    const verdict = { config_revision, digest, outcome: "rejected" as const, reason };
    draft.handled_configs = [...draft.handled_configs, verdict].slice(-REMEMBERED);
  });
}

function describe(issues: readonly { path: readonly PropertyKey[]; message: string }[]): string {
  return issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
}
