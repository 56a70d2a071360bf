import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessagingAgent } from "@ivy/messaging";
import { StateInterface } from "@ivy/state";
import {
  type ConfigMessageBody,
  configDigest,
  ForeignConfig,
  type PendingConfig,
  UpdaterConfig,
} from "@ivy/types";
import { onTestFinished, vi } from "vitest";
import { writePendingFile } from "../../src/change/pending-file.ts";
import { createGeneration } from "../../src/root/generation.ts";
import { type RootPaths, rootPaths, versionFolder } from "../../src/root/paths.ts";
import { readPointer, switchPointer } from "../../src/root/pointers.ts";
import { sealVersion } from "../../src/root/seal.ts";
import { Updater } from "../../src/updater.ts";

const UPDATER = { repository: "org/repo", provider: "github", provider_host: "github.com" };

export function configuration(config_revision: number, software_version: string, password = "canary") {
  const general = { config_revision, software_version, system_identifier: "node-7" };
  return { general, password };
}

/** A node that runs version 2.0.0, and an updater on it whose versions are prepared by a stand-in. */
export async function setUp(settings: object = { spread_seconds: 0 }) {
  const paths = rootPaths(mkdtempSync(join(tmpdir(), "ivy-site-")));
  for (const folder of [paths.data, paths.config]) mkdirSync(folder);
  writeFileSync(paths.launcher, "#!/bin/sh\nLAUNCHER=1\n");
  const running = versionFolder(paths, "2.0.0");
  mkdirSync(running);
  const ivy = { launcher: 1, runtime: "node", main: "main.js", cli: "cli.js" };
  writeFileSync(join(running, "package.json"), JSON.stringify({ version: "2.0.0", ivy }));
  await sealVersion(running, { version: "2.0.0", txid: "set-up" });
  const generation = createGeneration(paths, {
    config: configuration(7, "2.0.0"),
    version: "2.0.0",
    trialSeconds: 30,
    upSeconds: 10,
  });
  for (const pointer of ["active", "lastGood"] as const) switchPointer(paths, pointer, generation);
  mkdirSync(join(paths.trials, generation), { recursive: true });
  writeFileSync(join(paths.trials, generation, "proven"), "");

  const state = new StateInterface({ dataDir: paths.data });
  const messages = new MessagingAgent({ dataDir: paths.data });
  onTestFinished(async () => {
    await messages.teardown();
    rmSync(paths.root, { recursive: true });
  });
  const logger = { debug() {}, info() {}, warning() {}, error: vi.fn() };
  const create = (attempt?: string) =>
    new Updater({
      configFile: join(paths.active, "config.json"),
      configDir: paths.config,
      schema: ForeignConfig,
      version: "2.0.0",
      updater: UpdaterConfig.parse({ ...UPDATER, ...settings }),
      site: {
        paths,
        generation: readPointer(paths, "active") ?? generation,
        running,
        preparation: new URL("./fixtures/prepare.ts", import.meta.url),
        attempt,
      },
      state,
      messages,
      logger,
    });
  const arrive = async (
    config: ReturnType<typeof configuration>,
    how: Pick<PendingConfig, "archive" | "local"> = {},
  ) => {
    const digest = configDigest(config);
    const file = writePendingFile(paths.config, config, digest);
    await state.update((draft) => {
      draft.pending_configs.push({ general: config.general, digest, file, ...how });
    });
  };
  const handled = () =>
    state.load().handled_configs.map(({ config_revision, outcome }) => [config_revision, outcome]);
  /** What was told to the server about configurations. */
  const answers = () =>
    messages
      .getNLatestMessages(100)
      .map(({ message_body }) => message_body)
      .filter((body): body is ConfigMessageBody => body.variant === "config");
  return { paths, state, messages, logger, create, arrive, handled, answers };
}

/** What the launcher does when a trial has failed. */
export function rollBack(paths: RootPaths, logTail = ""): void {
  const verdict = { schema: 1, result: "failed", reason: "exited", attempts: 3, lastExit: "1", logTail };
  const trial = join(paths.trials, readPointer(paths, "active") ?? "");
  mkdirSync(trial, { recursive: true });
  writeFileSync(join(trial, "verdict.json"), JSON.stringify(verdict));
  switchPointer(paths, "active", readPointer(paths, "lastGood") ?? "");
}

export const forever = () => new AbortController().signal;
