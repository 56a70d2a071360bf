import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { readStatistics } from "../src/index.ts";
import { createAgent, number, temporary } from "./support.ts";

/** Everything that a folder holds, with contents and times, but for the locks of readers. */
function contentsOf(folder: string): unknown[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.endsWith("-shm"))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const { mtimeMs, mode, ino } = statSync(path);
      const content = statSync(path).isFile() ? readFileSync(path, "latin1") : undefined;
      return { name, mtimeMs, mode, ino, content };
    });
}

/** A store with 5 messages, of which 2 are done and 1 is set aside. */
async function filled(dataDir: string) {
  const agent = createAgent(dataDir, { now: () => 1_764_000_000_000 });
  await agent.addMessages([0, 1, 2, 3, 4].map(number));
  const [first, second, third] = agent.getNLatestMessages(3).map(({ identifier }) => identifier);
  agent.removeMessages([first ?? 0, second ?? 0]);
  agent.setAside([{ identifier: third ?? 0, reason: "nobody takes it" }]);
  return agent;
}

const FILLED = { queued: 2, dead: 1, dropped: 0, oldest: 1_764_000_000, newest: 1_764_000_000 };

describe("somebody who only looks at the messages", () => {
  it("sees the same as their agent, while it runs and when it has ended, and changes nothing", async () => {
    const dataDir = temporary();
    const agent = await filled(dataDir);
    const { newest: _, ...seen } = readStatistics(dataDir);
    expect(seen).toEqual(agent.statistics());
    for (const end of [async () => undefined, () => agent.teardown()]) {
      await end();
      const before = contentsOf(dataDir);
      expect(readStatistics(dataDir)).toMatchObject(FILLED);
      expect(contentsOf(dataDir)).toEqual(before);
    }
  });

  it("sees what a power cut has left, and changes nothing", async () => {
    const [dataDir, left] = [temporary(), temporary()];
    await filled(dataDir);
    mkdirSync(join(left, "messages"));
    for (const name of readdirSync(join(dataDir, "messages")))
      copyFileSync(join(dataDir, "messages", name), join(left, "messages", name));
    for (const part of ["", "-wal"]) {
      const name = `active-message-queue.sqlite3${part}`;
      copyFileSync(join(dataDir, name), join(left, name));
    }
    const before = contentsOf(left);
    expect(readStatistics(left)).toMatchObject(FILLED);
    expect(contentsOf(left)).toEqual(before);
  });

  it("sees everything waiting where nothing has been sent yet, and nothing in an empty folder", async () => {
    const dataDir = temporary();
    expect(readStatistics(dataDir)).toMatchObject({ queued: 0, oldest: undefined, newest: undefined });
    expect(readdirSync(dataDir)).toEqual([]);
    await createAgent(dataDir).addMessages([0, 1, 2].map(number));
    expect(readStatistics(dataDir)).toMatchObject({ queued: 3, dead: 0 });
  });

  it("is told of a database that is no database, which is left as it is", async () => {
    const dataDir = temporary();
    await (await filled(dataDir)).teardown();
    const file = join(dataDir, "active-message-queue.sqlite3");
    rmSync(file);
    writeFileSync(file, "x".repeat(5_000));
    const before = contentsOf(dataDir);
    expect(() => readStatistics(dataDir)).toThrow(/not a database/);
    expect(contentsOf(dataDir)).toEqual(before);
  });

  it("sees what Python Ivy has left unsent, before and after it is taken over", async () => {
    const dataDir = temporary();
    const database = new Sqlite(join(dataDir, "active-message-queue.sqlite3"));
    database.exec(
      "CREATE TABLE QUEUE (internal_id INTEGER PRIMARY KEY, timestamp DOUBLE NOT NULL, message_body TEXT NOT NULL)",
    );
    const insert = database.prepare("INSERT INTO QUEUE (timestamp, message_body) VALUES (?, ?)");
    for (const seconds of [1_700_000_000.5, 1_700_000_001]) insert.run(seconds, JSON.stringify(number(1)));
    database.close();
    const before = contentsOf(dataDir);
    const waiting = { queued: 2, oldest: 1_700_000_000.5, dead: 0, dropped: 0 };
    expect(readStatistics(dataDir)).toMatchObject({ ...waiting, ofPython: 2 });
    expect(contentsOf(dataDir)).toEqual(before);
    const agent = createAgent(dataDir);
    agent.getNLatestMessages(1);
    await agent.teardown();
    expect(readStatistics(dataDir)).toMatchObject(waiting);
    expect(readStatistics(dataDir)).not.toHaveProperty("ofPython");
  });
});
