import { checked, NoParams } from "./method.ts";
import { readQueue } from "./queue-stats.ts";

/** How the node fares: version, revision, uptime in seconds, each process, the queue. */
export const status = checked({
  params: NoParams,
  perform: (_params, { node, config }) => ({
    answer: {
      version: node.agent.version,
      revision: config.general.config_revision,
      uptime: Math.floor(node.agent.uptime()),
      processes: node.state.load().processes ?? {},
      queue: readQueue(node.messages),
    },
  }),
});
