import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { watchFile } from "@ivy/files";
import type { Link } from "@ivy/messaging/forwarder";
import type { Config } from "@ivy/types";
import type { ThingsBoardNode } from "./node.ts";
import { ATTRIBUTES_TOPIC } from "./topics.ts";

export interface ClientAttributesOptions {
  link: Link;
  node: Pick<ThingsBoardNode, "agent" | "state" | "dataDir">;
  config: Pick<Config, "general">;
  /** Shortest time between two publishes, in milliseconds: changes meanwhile are one. */
  pauseMs: number;
}

/** The state of each process, by its name. */
type ProcessStates = Record<string, string>;

/** Publishes what the node says about itself; returns the states of the processes that this holds. */
export async function publishClientAttributes({
  link,
  node,
  config,
}: ClientAttributesOptions): Promise<ProcessStates> {
  const processes = processStates(node);
  const attributes = {
    version: node.agent.version,
    revision: config.general.config_revision,
    uptime: Math.floor(node.agent.uptime()),
    processes,
  };
  await link.publish(ATTRIBUTES_TOPIC, JSON.stringify(attributes));
  return processes;
}

/** Publishes it again whenever the states of the processes have changed, until the connection ends. */
export async function keepClientAttributes(
  options: ClientAttributesOptions,
  published: ProcessStates,
): Promise<never> {
  const { link, node, pauseMs } = options;
  for (let known = published; ; ) {
    await sleep(pauseMs, undefined, { signal: link.signal });
    await untilOther(known, node, link.signal);
    known = await publishClientAttributes(options);
  }
}

function processStates({ state }: Pick<ThingsBoardNode, "state">): ProcessStates {
  const processes = Object.entries(state.load().processes ?? {});
  return Object.fromEntries(processes.map(([name, process]) => [name, process.state]));
}

/** Resolves once the states of the processes are others than these. */
async function untilOther(
  processes: ProcessStates,
  node: Pick<ThingsBoardNode, "state" | "dataDir">,
  signal: AbortSignal,
): Promise<void> {
  const left = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const before = JSON.stringify(processes);
  const look = () => {
    if (JSON.stringify(processStates(node)) !== before) resolve();
  };
  signal.throwIfAborted();
  signal.addEventListener("abort", () => reject(signal.reason), { signal: left.signal });
  try {
    watchFile(join(node.dataDir, "state.json"), AbortSignal.any([signal, left.signal]), look);
    look();
    await promise;
  } finally {
    left.abort();
  }
}
