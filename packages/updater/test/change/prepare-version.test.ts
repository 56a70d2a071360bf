import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { UpdaterConfig } from "@ivy/types";
import { describe, expect, it } from "vitest";
import type { PreparationRequest } from "../../src/change/preparation.ts";
import { prepareVersion } from "../../src/change/prepare-version.ts";
import { SEAL } from "../../src/root/manifest.ts";
import { versionFolder } from "../../src/root/paths.ts";
import { switchPointer } from "../../src/root/pointers.ts";
import { sealVersion } from "../../src/root/seal.ts";
import { makeArchive } from "../../src/testing.ts";
import { addGeneration, configOf, emptyRoot, writeVersion } from "../root/root.ts";

/** A source of versions that there cannot be. */
const OVERWRITING = UpdaterConfig.parse({
  repository: "org/repo",
  provider: "git",
  provider_host: "git.example",
  remote: "-x",
  source_conflict_strategy: "overwrite",
});

const COMMIT = "1".repeat(40);

/** A node, and what asks it for version 2.0.0. */
async function setUp(about: Partial<PreparationRequest> = {}) {
  const paths = emptyRoot();
  const active = await addGeneration(paths, 1);
  for (const pointer of ["active", "lastGood"] as const) switchPointer(paths, pointer, active);
  const archive = join(paths.root, "ivy.tar.gz");
  const config = configOf(2, "2.0.0");
  const running = versionFolder(paths, "1.0.0");
  const request = { paths, version: "2.0.0", txid: "2-t", config, running, secrets: [], ...about };
  const steps: string[] = [];
  const prepare = (more: Partial<PreparationRequest> = {}) =>
    prepareVersion(
      { ...request, ...more },
      { signal: new AbortController().signal, onStep: (step) => void steps.push(step) },
    );
  return { paths, archive, prepare, steps };
}

/** As git makes it: with the commit noted, if it is asked for one. */
function archiveOf(commit?: string): Buffer {
  const note = `52 comment=${commit}\n`;
  return makeArchive([
    ...(commit ? [{ path: "pax_global_header", type: "GlobalExtendedHeader" as const, content: note }] : []),
    { path: "ivy/package.json", content: '{"version":"2.0.0"}' },
  ]);
}

describe("a preparation", () => {
  it.each([
    ["another", archiveOf("2".repeat(40)), "IVY_COMMIT_MISMATCH"],
    ["one that it does not tell", archiveOf(), "IVY_COMMIT_MISMATCH"],
    // This node has nothing to install it with; so far it has come.
    ["the one that is wanted", archiveOf(COMMIT), "IVY_PNPM_MISSING"],
  ])("of an archive of a commit, where one is wanted: %s", async (_, content, code) => {
    const { archive, prepare } = await setUp({ commit: COMMIT });
    writeFileSync(archive, content);
    await expect(prepare({ archive })).rejects.toMatchObject({ code });
  });

  it("tells when an archive is there as a whole, and when it is what was asked for", async () => {
    const { archive, prepare, steps } = await setUp();
    writeFileSync(archive, archiveOf());
    await expect(prepare({ archive })).rejects.toMatchObject({ code: "IVY_PNPM_MISSING" });
    expect(steps).toEqual(["check", "verify", "unpack"]);
  });

  it("takes a version that is there for the wanted one only if its seal names the commit", async () => {
    const { paths, prepare } = await setUp();
    const folder = writeVersion(paths, "2.0.0");
    await sealVersion(folder, { version: "2.0.0", txid: "t" });
    await expect(prepare()).resolves.toBeUndefined();
    await expect(prepare({ commit: COMMIT })).rejects.toMatchObject({ code: "IVY_NO_UPDATER" });
  });

  it.each([
    ["an archive is given for it", { archive: "/nonexistent.tar.gz" }, "IVY_ARCHIVE_NOT_FOUND"],
    ["it is to be overwritten", { updater: OVERWRITING }, "IVY_REMOTE_INVALID"],
  ])("prepares one that is there anew where %s", async (_, more, code) => {
    const { paths, prepare } = await setUp();
    await sealVersion(writeVersion(paths, "2.0.0"), { version: "2.0.0", txid: "t" });
    await expect(prepare(more)).rejects.toMatchObject({ code });
  });

  it.each([
    ["is not all there any more", "2.0.0", (folder: string) => rmSync(join(folder, "dist/run.js"))],
    ["has grown", "2.0.0", (folder: string) => appendFileSync(join(folder, "dist/run.js"), "x")],
    ["was sealed as another one", "2.0.1", () => undefined],
  ])("does not take one for ready that %s", async (_, version, damage) => {
    const { paths, prepare } = await setUp();
    const folder = writeVersion(paths, "2.0.0");
    await sealVersion(folder, { version, txid: "t" });
    damage(folder);
    await expect(prepare()).rejects.toMatchObject({ code: "IVY_NO_UPDATER" });
    expect(existsSync(folder)).toBe(false);
  });

  it("rejects what is another version than was asked for, and leaves nothing of it", async () => {
    const { paths, archive, prepare } = await setUp();
    writeFileSync(archive, makeArchive([{ path: "ivy/package.json", content: '{"version":"2.0.1"}' }]));
    await expect(prepare({ archive })).rejects.toMatchObject({
      step: "verify",
      code: "IVY_VERSION_MISMATCH",
      message: expect.stringContaining("2.0.1"),
    });
    expect(existsSync(versionFolder(paths, "2.0.0"))).toBe(false);
    expect(readdirSync(paths.stage)).toEqual([]);
  });

  it("waits for room before it fetches anything", async () => {
    const { paths, archive, prepare, steps } = await setUp();
    writeFileSync(archive, archiveOf());
    const seal = join(versionFolder(paths, "1.0.0"), SEAL);
    writeFileSync(seal, JSON.stringify({ ...JSON.parse(readFileSync(seal, "utf8")), bytes: 1e17 }));
    await expect(prepare({ archive })).rejects.toMatchObject({ code: "IVY_NO_ROOM", step: "check" });
    expect(steps).toEqual([]);
  });

  it("strikes out of what a step prints what must not be told", async () => {
    const { paths, archive, prepare } = await setUp({ secrets: ["canary"] });
    writeFileSync(archive, archiveOf());
    const modules = join(versionFolder(paths, "1.0.0"), "node_modules");
    const pnpm = join(modules, `@pnpm/exe.linux-${process.arch}`);
    for (const folder of [join(modules, "pnpm"), pnpm]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(pnpm, "pnpm"), "#!/bin/sh\necho it is canary\nexit 1\n", { mode: 0o755 });
    await expect(prepare({ archive })).rejects.toMatchObject({
      code: "IVY_INSTALL_FAILED",
      output: expect.stringContaining("it is [redacted]"),
    });
  });

  it("deletes what others have left, and leaves nothing of its own", async () => {
    const { paths, archive, prepare } = await setUp();
    const left = [
      join(paths.stage, "1-superseded"),
      join(paths.trash, "cut-off"),
      writeVersion(paths, "2.0.0"),
    ];
    for (const folder of left) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "file"), "x");
    }
    await expect(prepare({ archive })).rejects.toMatchObject({ code: "IVY_ARCHIVE_NOT_FOUND" });
    expect(readdirSync(paths.stage)).toEqual([]);
    expect(readdirSync(paths.trash)).toEqual([]);
    expect(existsSync(versionFolder(paths, "2.0.0"))).toBe(false);
  });
});
