import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { backendEntrypoint, LifecycleManager } from "@ivy/lifecycle";
import { Logger } from "@ivy/logger";
import { MessagingAgent } from "@ivy/messaging";
import { StateInterface } from "@ivy/state";
import type { Config } from "@ivy/types";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { hasMosquitto } from "../src/testing.ts";
import { configuration, type Folders, PATIENCE, setUp, startClient } from "./mqtt-support.ts";

/** The file that the README shows, where its imports can be resolved. */
function backendOfReadme(): URL {
  const folder = join(import.meta.dirname, "../.reports", `own-backend-${process.hrtime.bigint()}`);
  mkdirSync(folder, { recursive: true });
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
  const [, code] = /## A backend of your own\n.*?```ts\n(.*?)```/s.exec(readme) ?? [];
  if (code === undefined) throw new Error("the README shows no backend of one's own");
  writeFileSync(join(folder, "lines-backend.ts"), code);
  return pathToFileURL(join(folder, "lines-backend.ts"));
}

it("the README's backend of one's own is sound TypeScript", async () => {
  const folder = dirname(fileURLToPath(backendOfReadme()));
  const tsconfig = { extends: "../../tsconfig.json", include: ["*.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  const tsc = join(import.meta.dirname, "../../../node_modules/.bin/tsc");
  await expect(promisify(execFile)(tsc, ["-p", folder])).resolves.toMatchObject({ stdout: "" });
});

describe.skipIf(!hasMosquitto)("the README's backend of one's own (needs mosquitto)", () => {
  it("is one file that the agent runs as a process: it sends, sets aside and takes a configuration", async () => {
    const { broker, folders } = await setUp();
    const { arrivals, configure } = await startClient(broker, "stations/roof");
    const config = configuration(broker);
    const messages = new MessagingAgent(folders);
    onTestFinished(() => messages.teardown());
    for (const data of [{ temperature: 21.4 }, { humidity: 55 }, { temperature: 21.5 }]) {
      await messages.addMessage({ variant: "data", data });
    }
    await messages.addMessage({ variant: "log", level: "INFO", subject: "s", body: "b" });
    const manager = await startProcess(config, folders);
    await vi.waitFor(() => expect(arrivals).toHaveLength(2), PATIENCE);
    expect(arrivals.map(({ payload }) => payload.split(" ")[1])).toEqual(["21.4", "21.5"]);
    await vi.waitFor(() => expect(messages.statistics().dead).toBe(1), PATIENCE);
    expect(messages.deadLetters(1)).toMatchObject([{ reason: "there is no temperature in it" }]);
    const next = { ...config, general: { ...config.general, config_revision: 8 } };
    await configure("stations/roof/configuration", JSON.stringify(next));
    const state = new StateInterface(folders);
    await vi.waitFor(() => expect(state.load().pending_configs).toHaveLength(1), PATIENCE);
    await manager.teardown("stop");
    expect(messages.getNLatestMessages(10)).toEqual([]);
  });
});

/** Has the backend of the README run as the agent has its own. */
async function startProcess(config: Config, folders: Folders) {
  const logsDir = join(folders.dataDir, "logs");
  const verbosity = config.logging_verbosity;
  const logger = new Logger({ origin: "main", verbosity, logsDir });
  const agent = { name: "ivy", version: "2.0.0", startedAt: 0 };
  // Handed on to the process, which shall load the sources as this one does.
  process.execArgv.push("--conditions=@ivy/source");
  const manager = new LifecycleManager({
    config,
    entrypoint: backendEntrypoint(backendOfReadme()),
    name: "lines-backend",
    variant: "backend",
    logger,
    secondsToKill: 20,
    settings: { ...folders, logsDir, verbosity, revision: 7, secrets: [], agent },
  });
  manager.startProcedure();
  onTestFinished(async () => {
    await manager.teardown("restart");
  });
  return manager;
}
