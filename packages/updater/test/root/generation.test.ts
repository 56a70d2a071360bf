import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { configDigest } from "@ivy/types";
import { describe, expect, it } from "vitest";
import { createGeneration, readGeneration } from "../../src/root/generation.ts";
import { switchPointer } from "../../src/root/pointers.ts";
import { sealVersion } from "../../src/root/seal.ts";
import { configOf, emptyRoot, START, writeVersion } from "./root.ts";

const OPTIONS = { config: configOf(7), version: "1.0.0", trialSeconds: 300, upSeconds: 30 };

async function rootWithVersion(ivy?: object) {
  const paths = emptyRoot();
  await sealVersion(writeVersion(paths, "1.0.0", ivy), { version: "1.0.0", txid: "t" });
  return paths;
}

describe("a generation", () => {
  it("is a folder with the configuration, what it is, and links into its version", async () => {
    const paths = await rootWithVersion();
    const name = createGeneration(paths, OPTIONS);
    const digest = configDigest(OPTIONS.config);
    expect(name).toBe(`7-${digest.slice(0, 12)}-1.0.0`);
    const generation = readGeneration(paths, name);
    expect(generation).toMatchObject({
      revision: 7,
      digest,
      version: "1.0.0",
      trialSeconds: 300,
      attempts: 3,
      powerAttempts: 10,
    });
    const folder = join(paths.generations, name);
    expect(readlinkSync(join(folder, "version"))).toBe("../../../1.0.0");
    expect(readlinkSync(join(folder, "main"))).toBe("version/dist/run.js");
    expect(realpathSync(join(folder, "main"))).toBe(join(realpathSync(paths.root), "1.0.0/dist/run.js"));
    expect(statSync(join(folder, "config.json")).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it("is found where it is there already, and is another one for another configuration or version", async () => {
    const paths = await rootWithVersion();
    await sealVersion(writeVersion(paths, "1.1.0"), { version: "1.1.0", txid: "t" });
    const names = [
      OPTIONS,
      OPTIONS,
      { ...OPTIONS, config: configOf(8) },
      { ...OPTIONS, version: "1.1.0" },
    ].map((options) => createGeneration(paths, options));
    expect(new Set(names).size).toBe(3);
    expect(readdirSync(paths.generations).sort()).toEqual([...new Set(names)].sort());
  });

  it("is made anew where it is damaged, but not below one who uses it", async () => {
    const paths = await rootWithVersion();
    const name = createGeneration(paths, OPTIONS);
    const config = join(paths.generations, name, "config.json");
    writeFileSync(config, "{}");
    expect(readGeneration(paths, name)).toBeUndefined();
    createGeneration(paths, OPTIONS);
    expect(readGeneration(paths, name)).toBeDefined();
    switchPointer(paths, "active", name);
    writeFileSync(config, "{}");
    expect(() => createGeneration(paths, OPTIONS)).toThrow(/damaged and in use/);
  });

  it("is written so that the launcher can read a key a line", async () => {
    const paths = await rootWithVersion();
    const text = readFileSync(join(paths.generations, createGeneration(paths, OPTIONS), "gen.json"), "utf8");
    expect(text).toMatch(/^ {2}"trialSeconds": 300,$/m);
  });

  it.each([
    ["a version that does not say how it is started", {}, "IVY_NO_START", /"ivy"/],
    [
      "a version that needs a newer launcher",
      { ...START, launcher: 99 },
      "IVY_OLD_LAUNCHER",
      /launcher 99.*launcher 1/,
    ],
  ])("is refused for %s", async (_, ivy, code, message) => {
    const paths = await rootWithVersion(ivy);
    expect(() => createGeneration(paths, OPTIONS)).toThrow(
      expect.objectContaining({ name: "UpdateRejectedError", code, message: expect.stringMatching(message) }),
    );
    expect(existsSync(paths.generations)).toBe(false);
  });

  it("is refused for a version without a seal", () => {
    const paths = emptyRoot();
    writeVersion(paths, "1.0.0");
    expect(() => createGeneration(paths, OPTIONS)).toThrow(/not sealed/);
  });
});
