import { spawnSync } from "node:child_process";
import { fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporary } from "./support.ts";

/** What somebody says who passes on what a process writes to standard error, and that. */
function passedOn(pieces: string[], isJournal: boolean): string {
  const file = join(temporary(), "stderr");
  const descriptor = openSync(file, "w");
  const { dev, ino } = fstatSync(descriptor);
  const fixture = join(import.meta.dirname, "fixtures/pass-on.ts");
  spawnSync(process.execPath, ["--conditions=@ivy/source", fixture, ...pieces], {
    env: { ...process.env, JOURNAL_STREAM: isJournal ? `${dev}:${ino}` : "1:2" },
    stdio: ["ignore", "inherit", descriptor],
  });
  return readFileSync(file, "utf8");
}

it("what a process writes to standard error is passed on, into the journal as errors, line by line", () => {
  const pieces = ["first\nse", "co", "nd\n", "third\n"];
  expect(passedOn(pieces, false)).toBe("first\nsecond\nthird\n");
  expect(passedOn(pieces, true)).toBe("<3>first\n<3>second\n<3>third\n");
});
