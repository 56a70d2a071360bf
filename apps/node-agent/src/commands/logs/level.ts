import type { LoggingVerbosityConfig, LogLevel } from "@ivy/types";
import { DATA_DIR } from "../../constants.ts";
import { askAgent } from "../../control/ask.ts";
import { say } from "../say.ts";

export async function setLevel(sink: keyof LoggingVerbosityConfig, wanted: LogLevel | "none"): Promise<void> {
  const level = wanted === "none" ? null : wanted;
  await askAgent(DATA_DIR, { kind: "log-level", sink, level });
  say(`The level of ${sink} is ${wanted} now, until the processes are started anew`);
}
