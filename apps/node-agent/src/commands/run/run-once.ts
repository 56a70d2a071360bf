import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MessagingAgent } from "@ivy/messaging";
import { StateInterface } from "@ivy/state";
import { compareConfigs, loadConfig } from "@ivy/types";
import { AgentConfig } from "../../agent-config.ts";
import { CONFIG_FILE, DATA_DIR } from "../../constants.ts";
import { processesOf } from "../../processes.ts";
import { termination } from "../../termination.ts";
import { isoTime } from "../iso-time.ts";
import { say, sayJson } from "../say.ts";
import { performTurn } from "./perform-turn.ts";

export interface RunOnceOptions {
  /** Seconds. */
  timeout: number;
  json?: boolean;
}

export async function runOnce(name: string, { timeout, json }: RunOnceOptions): Promise<void> {
  const config = loadConfig(CONFIG_FILE, AgentConfig);
  const script = procedureOf(name, config);
  using scratch = scratchFolder();
  const state = new StateInterface({ dataDir: scratch.path });
  const before = state.load();
  const signal = AbortSignal.any([termination(), AbortSignal.timeout(timeout * 1_000)]);
  const { failure } = await performTurn({ name, script, config, dataDir: scratch.path, signal });
  const messages = [
    ...new MessagingAgent({ dataDir: scratch.path }).messagesOf({
      fromMs: 0,
      toMs: Number.POSITIVE_INFINITY,
    }),
  ].map(({ timestamp, message_body }) => ({ time: isoTime(timestamp), message: message_body }));
  const changes = compareConfigs(before, state.load());

  if (failure !== undefined) process.exitCode = 1;
  if (json) return sayJson({ procedure: name, messages, state_changes: changes, failure: failure ?? null });
  for (const { time, message } of messages) say(`${time}  ${JSON.stringify(message)}`);
  for (const { key, after } of changes) say(`state ${key}: ${JSON.stringify(after)}`);
  if (failure !== undefined) process.stderr.write(`${name} has failed: ${failure}\n`);
  else if (messages.length + changes.length === 0) say(`${name} has added no message and changed nothing`);
}

function procedureOf(name: string, config: AgentConfig): string {
  const procedures = processesOf(config).filter(({ entrypoint }) => entrypoint.variant === "procedure");
  const found = procedures.find((procedure) => procedure.name === name);
  if (found !== undefined) return fileURLToPath(found.entrypoint.module);
  const known = procedures.map((procedure) => procedure.name).join(", ");
  throw new Error(`There is no procedure ${name}; those of this configuration are ${known}`);
}

/** A data folder of its own, with a copy of the state, for what the turn writes. */
function scratchFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "ivy-once-"));
  const state = join(DATA_DIR, "state.json");
  if (existsSync(state)) copyFileSync(state, join(path, "state.json"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
