import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hasCompiler, type Recorded, record } from "@ivy/tooling/file-faults";
import { describe, expect, it, onTestFinished } from "vitest";
import { hasMosquitto, startMosquitto } from "../src/testing.ts";
import { problemsAfterCut } from "./power-cut/check.ts";
import { type Check, cutManyTimes, describeFindings } from "./power-cut/cut-many.ts";
import { recordStore } from "./power-cut/record-store.ts";
import { understand } from "./power-cut/statements.ts";
import { startProgram } from "./programs.ts";

/** The cuts differ from run to run, for the recording does; within one recording, a seed gives the same cut again. */
const CUTS = 150;
const ALL_CLASSES = ["sync", "window", "window", "fast", "sync", "sync"] as const;

describe.skipIf(!hasCompiler)("a power cut at any call (needs cc)", { timeout: 120_000 }, () => {
  it("takes no message that is acknowledged, alters none, and keeps the order of 4 writers, beside a reader", async () => {
    const recorded = await recordStore({ writers: 4, messages: 25, classes: ALL_CLASSES });
    const findings = await cutManyTimes(recorded, { count: CUTS, check: problemsAfterCut });
    expect(describeFindings(recorded, findings)).toBe("");
  });

  it.skipIf(!hasMosquitto)(
    "does so beside a forwarder, where nothing is synced but windows (needs mosquitto)",
    async () => {
      const broker = await startMosquitto();
      onTestFinished(() => broker[Symbol.asyncDispose]());
      const recorded = await recordStore({
        writers: 2,
        messages: 25,
        classes: ["window", "fast"],
        broker: broker.port,
      });
      const findings = await cutManyTimes(recorded, { count: CUTS, check: problemsAfterCut });
      expect(describeFindings(recorded, findings)).toBe("");
    },
  );
});

describe.skipIf(!hasCompiler)("the recorder of power cuts (needs cc)", { timeout: 120_000 }, () => {
  it.each(["sync", "window"] as const)("finds a store that claims %s and syncs nothing", async (claimed) => {
    const recorded = await recordStore({ writers: 2, messages: 10, classes: [claimed, "fast"], lie: true });
    const findings = await cutManyTimes(recorded, { count: CUTS, check: problemsAfterCut });
    expect(findings.flatMap(({ problems }) => problems).join()).toMatch(/is stored and not in the archive/);
  });

  it("gives the same cut for the same seed", async () => {
    const recorded = await recordProgram("power-cut-replace", "unsynced");
    const cut = () => cutManyTimes(recorded, { count: 50, check: valueProblems });
    expect(await cut()).toEqual(await cut());
  });

  it("finds a file that is renamed over another without being synced, and no fault where it is", async () => {
    const careless = await recordProgram("power-cut-replace", "unsynced");
    expect(await cutManyTimes(careless, { count: CUTS, check: valueProblems })).not.toEqual([]);
    const careful = await recordProgram("power-cut-replace", "synced");
    const findings = await cutManyTimes(careful, { count: CUTS, check: valueProblems });
    expect(describeFindings(careful, findings)).toBe("");
  });

  it("knows what is known of SQLite: a rollback journal may lose the last commit, a WAL loses none", async () => {
    // The unlink of the journal is the commit, and synchronous = FULL does not sync the folder after it; EXTRA does.
    const rollback = await recordProgram("power-cut-sqlite", "DELETE", "FULL");
    const lost = await cutManyTimes(rollback, { count: CUTS, check: rowProblems });
    expect(new Set(lost.flatMap(({ problems }) => problems))).toEqual(new Set(["the last commit is lost"]));
    for (const way of [
      ["WAL", "FULL"],
      ["DELETE", "EXTRA"],
    ]) {
      const recorded = await recordProgram("power-cut-sqlite", ...way);
      const findings = await cutManyTimes(recorded, { count: CUTS, check: rowProblems });
      expect(describeFindings(recorded, findings)).toBe("");
    }
  });
});

function recordProgram(fixture: string, ...way: string[]): Promise<Recorded> {
  return record(async (folder, env) => {
    await using program = startProgram(fixture, [folder, ...way], env);
    expect(await program.ended).toBe(0);
  });
}

const valueProblems: Check = (folder, statements) => {
  const durable = storedValues(statements).length - 1;
  const file = join(folder, "value");
  const content = existsSync(file) ? readFileSync(file, "utf8") : "";
  const found = [durable, durable + 1].some(
    (value) => content === (value < 0 ? "" : String(value).repeat(1_000)),
  );
  return found ? [] : [`the file is neither value ${durable} nor the next`];
};

const rowProblems: Check = (folder, statements) => {
  const stored = storedValues(statements);
  if (stored.length === 0) return [];
  using database = new DatabaseSync(join(folder, "values.sqlite3"));
  const rows = database.prepare("SELECT n FROM stored ORDER BY rowid").all();
  const intact = rows.every(({ n }, index) => n === index);
  if (!intact) return ["the rows are altered"];
  if (rows.length >= stored.length) return [];
  return [rows.length === stored.length - 1 ? "the last commit is lost" : "more than one commit is lost"];
};

function storedValues(statements: readonly string[]): string[] {
  return [...understand(statements).stored];
}
