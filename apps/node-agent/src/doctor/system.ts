import { lookup } from "node:dns/promises";
import { readFileSync, statfsSync } from "node:fs";
import { createRequire } from "node:module";
import type { UpdaterConfig } from "@ivy/types";
import { tryRemote } from "@ivy/updater";
import { clockIsSynchronised } from "../status/clock.ts";
import { startersOfPrograms } from "./starters.ts";

/** How long the other side may take, in milliseconds. */
const ANSWER_MS = 8_000;

/** It stays where its package is, as the store of messages loads it. */
const require = createRequire(import.meta.url);

/** What the checks ask of the machine and the network; tests inject faults here that they cannot cause. */
export interface System {
  /** The wall clock, in Unix milliseconds. */
  now(): number;
  nodeVersion: string;
  statfs(path: string): { bavail: number; blocks: number; bsize: number; files: number; ffree: number };
  /** The text of a file; `undefined` where it is missing or may not be read. */
  readText(path: string): string | undefined;
  /** `null`: unknown. */
  clockIsSynchronised(): boolean | null;
  /** What starts programs here: units that were added, and the crontab; `undefined` where there is neither. */
  startersOfPrograms(): Promise<readonly string[] | undefined>;
  /** @throws where SQLite cannot be loaded, or does not work */
  trySqlite(): void;
  /** The address of a host. */
  resolve(host: string): Promise<string>;
  /** The status of the answer of a web server. */
  request(url: string, headers: Record<string, string>): Promise<number>;
  /** Asks the git remote of an updater for what it has. @throws where that fails, with what to do */
  tryRemote(updater: UpdaterConfig): Promise<void>;
}

export const realSystem: System = {
  now: Date.now,
  nodeVersion: process.versions.node,
  statfs: (path) => statfsSync(path),
  readText: (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  },
  clockIsSynchronised,
  startersOfPrograms,
  trySqlite: () => {
    const Sqlite = require("better-sqlite3") as new (file: string) => { close(): void };
    new Sqlite(":memory:").close();
  },
  resolve: async (host) => (await lookup(host)).address,
  request: async (url, headers) => {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS) });
    await response.body?.cancel();
    return response.status;
  },
  tryRemote: (updater) => tryRemote(updater, ANSWER_MS),
};
