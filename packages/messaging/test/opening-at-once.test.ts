import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openQueueDatabase } from "../src/queue/database.ts";
import { temporary } from "./support.ts";

/** Is about to write into a database that is not in WAL mode yet, as whoever makes it is. */
const HOLDER = `
  const { DatabaseSync } = require("node:sqlite");
  const database = new DatabaseSync(process.argv[1]);
  database.exec("BEGIN IMMEDIATE");
  console.log("held");
  setTimeout(() => database.exec("COMMIT"), 300);
`;

it("opens a new queue while another process is making it", async () => {
  const file = join(temporary(), "queue.sqlite");
  const holder = spawn(process.execPath, ["-e", HOLDER, file], { stdio: ["ignore", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  const database = openQueueDatabase(file);
  expect(database.pragma("journal_mode", { simple: true })).toBe("wal");
  database.close();
  if (holder.exitCode === null) await once(holder, "exit");
  expect(holder.exitCode).toBe(0);
});
