import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const PACKAGE = resolve(import.meta.dirname, "../..");

describe("every code with which fetching a version can fail", () => {
  it("is explained in the README", () => {
    const readme = readFileSync(join(PACKAGE, "README.md"), "utf8");
    const folders = ["source", "signature"].map((name) => join(PACKAGE, "src", name));
    const files = folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts"))
        .map((name) => readFileSync(join(folder, name), "utf8")),
    );
    const codes = new Set(files.join("\n").match(/(?<=")IVY_[A-Z_]+(?=")/g));
    codes.delete("IVY_RUN");
    expect(codes.size).toBeGreaterThan(30);
    expect([...codes].filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
  });
});
