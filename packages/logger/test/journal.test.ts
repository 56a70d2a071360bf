import { spawnSync } from "node:child_process";
import { fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

/** What is printed to a file that is, or is not, the journal. */
function printed(isJournal: boolean): string[] {
  const folder = mkdtempSync(join(tmpdir(), "ivy-logger-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "stdout");
  const descriptor = openSync(file, "w");
  const { dev, ino } = fstatSync(descriptor);
  const env = { ...process.env, JOURNAL_STREAM: isJournal ? `${dev}:${ino}` : "1:2" };
  const fixture = join(import.meta.dirname, "fixtures/print.ts");
  spawnSync(process.execPath, ["--conditions=@ivy/source", fixture, folder], {
    env,
    stdio: ["ignore", descriptor, "inherit"],
  });
  return readFileSync(file, "utf8").split("\n");
}

it("every line that goes into the journal has the priority of its entry", () => {
  const lines = printed(true);
  expect(lines.map((line) => line.replace(/^(<\d>|).*?(- [^-]+)?$/, "$1$2"))).toEqual([
    "<7>- looked",
    "<6>- done",
    "<4>- odd",
    "<4>",
    "<4>",
    "",
    "<4>",
    "<4>",
    "<3>- broken",
    "",
  ]);
});

it("elsewhere nothing stands before the time", () => {
  for (const line of printed(false)) expect(line).not.toMatch(/^<\d>/);
});
