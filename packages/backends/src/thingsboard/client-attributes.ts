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

/** Publishes what the node says about itself, and again when its processes change, until the connection ends. */
export async function keepClientAttributes({
  link,
  node,
  config,
  pauseMs,
}: ClientAttributesOptions): Promise<never> {
  const { signal } = link;
  for (;;) {
    const processes = processStates(node);
    const attributes = {
      version: node.agent.version,
      revision: config.general.config_revision,
      uptime: Math.floor(node.agent.uptime()),
      processes,
    };
    await link.publish(ATTRIBUTES_TOPIC, JSON.stringify(attributes));
    await sleep(pauseMs, undefined, { signal });
    await untilOther(processes, node, signal);
  }
}

/** The state of each process, by its name. */
function processStates({ state }: Pick<ThingsBoardNode, "state">): Record<string, string> {
  const processes = Object.entries(state.load().processes ?? {});
  return Object.fromEntries(processes.map(([name, process]) => [name, process.state]));
}

/** Resolves once the states of the processes are others than these. */
async function untilOther(
  processes: Record<string, string>,
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
