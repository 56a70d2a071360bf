import { readFileSync } from "node:fs";
import { availableParallelism, loadavg, release, totalmem, uptime } from "node:os";
import { join } from "node:path";
import { lastEntries } from "@ivy/logger/read";
import { MessagingAgent, readStatistics } from "@ivy/messaging";
import { loadConfig, redact } from "@ivy/types";
import { AgentConfig } from "../agent-config.ts";
import type { Patient } from "../doctor/check.ts";
import type { NamedFinding } from "../doctor/examine.ts";
import { knownSecrets } from "./known-secrets.ts";
import { scrubber } from "./scrub.ts";

/** How much of the log is told: the last entries of all, and of those that matter. */
const ENTRIES = { all: 2_000, warnings: 500 };

const DEAD_LETTERS = 50;

/** The end of what the main process has written to standard error, in characters. */
const STDERR_CHARACTERS = 64 * 1_024;

/** The files of a support archive by their names, with no secret in any of them. */
export async function collectParts(
  patient: Patient,
  findings: readonly NamedFinding[],
): Promise<Record<string, string>> {
  const scrub = scrubber(knownSecrets(patient));
  const logs = join(patient.dataDir, "logs");
  const parts: Record<string, () => string | Promise<string>> = {
    "about.json": () => json(about(patient)),
    "status.json": () => json(patient.status),
    "doctor.json": () => json(findings),
    "config.json": () => json(redact(JSON.parse(readFileSync(patient.configFile, "utf8")), AgentConfig)),
    "config-check.txt": () => checkOf(patient.configFile),
    "state.json": () => json(redact(JSON.parse(readFileSync(join(patient.dataDir, "state.json"), "utf8")))),
    "queue.json": () => json(readStatistics(patient.dataDir)),
    "dead-letters.json": async () => json(await deadLetters(patient.dataDir)),
    "last.log": () => entries(logs, ENTRIES.all),
    "warnings.log": () => entries(logs, ENTRIES.warnings, "WARNING"),
    "main.stderr": () => readFileSync(join(patient.dataDir, "main.stderr"), "utf8").slice(-STDERR_CHARACTERS),
  };
  const texts = Object.entries(parts).map(async ([name, read]) => [name, scrub(await textOf(read))] as const);
  return Object.fromEntries(await Promise.all(texts));
}

/** What cannot be had is said, and no reason to go without the rest. An error may quote what it has stumbled over. */
async function textOf(read: () => string | Promise<string>): Promise<string> {
  try {
    return await read();
  } catch (error) {
    const why = error instanceof SyntaxError ? "it is not JSON" : (error as Error).message;
    return `This could not be collected: ${why}\n`;
  }
}

function about({ version, projectDir, root, dataDir, system }: Patient) {
  return {
    version,
    node: system.nodeVersion,
    time: new Date(system.now()).toISOString(),
    ...{ project: projectDir, root, data: dataDir },
    machine: {
      architecture: process.arch,
      kernel: release(),
      processors: availableParallelism(),
      memory_bytes: totalmem(),
      uptime_seconds: uptime(),
      load: loadavg(),
      operating_system:
        /^PRETTY_NAME="?(.*?)"?$/m.exec(system.readText("/etc/os-release") ?? "")?.[1] ?? null,
    },
  };
}

function checkOf(configFile: string): string {
  try {
    loadConfig(configFile, AgentConfig);
    return `${configFile} is sound\n`;
  } catch (error) {
    return `${(error as Error).message}\n`;
  }
}

/** Without what is in the messages: that is the business of whoever runs the node. */
async function deadLetters(dataDir: string): Promise<object[]> {
  // Opened for nothing else, for that writes to the queue.
  if (readStatistics(dataDir).dead === 0) return [];
  const messages = new MessagingAgent({ dataDir });
  try {
    return messages
      .deadLetters(DEAD_LETTERS)
      .map(({ identifier, timestamp, reason, set_aside_at, message_body: { variant } }) => {
        return { identifier, timestamp, variant, reason, set_aside_at };
      });
  } finally {
    await messages.teardown();
  }
}

function entries(folder: string, count: number, level?: "WARNING"): string {
  return lastEntries(folder, { level }, count)
    .map(({ text }) => text)
    .join("");
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
