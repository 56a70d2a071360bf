import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callsLeft, hasCompiler, setKill, withFaults } from "../src/file-faults.ts";

/** Seven calls of several processes that change the folder, and none that changes another. */
const SCRIPT = `
  mkdir a; ln -s nowhere b; echo 1 >a/c; sync a/c; mv -T a/c a/d; echo 2 >/dev/null
  rm b
`;

describe.skipIf(!hasCompiler)("a kill before a call (needs cc)", () => {
  let work: string;
  beforeEach(() => {
    work = realpathSync(mkdtempSync(join(tmpdir(), "ivy-kill-")));
  });
  afterEach(() => rmSync(work, { recursive: true, force: true }));

  /** Runs the script, killed before the call of this number. */
  function runUntil(call: number) {
    const [folder, kill] = [join(work, `folder-${call}`), join(work, "kill")];
    mkdirSync(folder);
    setKill(kill, call);
    spawnSync("sh", ["-c", SCRIPT], {
      cwd: folder,
      env: withFaults(work, { folder, kill }),
      stdio: "ignore",
    });
    return { found: readdirSync(folder, { recursive: true }).sort(), left: callsLeft(kill) };
  }

  it("leaves what the calls before it have done, and lets no other process go on", () => {
    expect(runUntil(1)).toEqual({ found: [], left: 0 });
    expect(runUntil(3)).toEqual({ found: ["a", "b"], left: 0 });
    expect(runUntil(7).found).toEqual(["a", "a/d", "b"]);
  });

  it("counts the calls of all processes", () => {
    const { found, left } = runUntil(1_000);
    expect(found).toEqual(["a", "a/d"]);
    expect(1_000 - 1 - left).toBe(7);
  });
});
