import { LoggingVerbosityConfig, LogLevel } from "@ivy/types";
import * as z from "zod/mini";
import { checked } from "./method.ts";

/** Changes from which level on a sink gets log entries: in all processes, until they are started anew. */
export const logsLevel = checked({
  params: z.strictObject({ sink: z.keyof(LoggingVerbosityConfig), level: z.nullable(LogLevel) }),
  perform: (change, { node }) => {
    node.agent.setLogLevel(change);
    return { answer: change };
  },
});
