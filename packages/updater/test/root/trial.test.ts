import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readVerdict, reportGrace } from "../../src/root/trial.ts";
import { emptyRoot } from "./root.ts";

const VERDICT = {
  schema: 1,
  result: "failed",
  reason: "exited",
  attempts: 3,
  lastExit: "1",
  logTail: "Error: no",
};

describe("a verdict", () => {
  it("is what the launcher has written, nothing where that is missing, and still one where it is damaged", () => {
    const paths = emptyRoot();
    expect(readVerdict(paths, "7-a-1.0.0")).toBeUndefined();
    const file = join(paths.trials, "7-a-1.0.0", "verdict.json");
    mkdirSync(join(paths.trials, "7-a-1.0.0"), { recursive: true });
    for (const text of ["", "{", '{"result":"failed"}']) {
      writeFileSync(file, text);
      expect(readVerdict(paths, "7-a-1.0.0")).toMatchObject({ result: "failed", reason: "unknown" });
    }
    writeFileSync(file, JSON.stringify(VERDICT));
    expect(readVerdict(paths, "7-a-1.0.0")).toEqual(VERDICT);
  });
});

describe("grace", () => {
  it("is a number of whole seconds in the folder of the attempt", () => {
    const { root } = emptyRoot();
    reportGrace(root, 3.9);
    expect(readFileSync(join(root, "grace"), "utf8")).toBe("3\n");
  });
});
