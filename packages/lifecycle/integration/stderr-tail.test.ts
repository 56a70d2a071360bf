import { spawnSync } from "node:child_process";
import { fstatSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporary } from "./support.ts";

/** What somebody says who passes on what a process writes to standard error, and that. */
function passedOn(pieces: string[], isJournal: boolean, before = ""): string {
  const file = join(temporary(), "stderr");
  writeFileSync(file, before);
  const descriptor = openSync(file, "a");
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

it("a file that it is passed on into is emptied when it has become long", () => {
  const long = "x".repeat(2 ** 20 + 1);
  expect(passedOn(["first\n", "second\n"], false, "before\n")).toBe("before\nfirst\nsecond\n");
  expect(passedOn(["first\n", "second\n"], false, long)).toBe("first\nsecond\n");
});
