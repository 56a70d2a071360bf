import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UpdaterConfig } from "@ivy/types";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { PreparationRequest } from "../src/change/preparation.ts";
import { prepareVersion } from "../src/change/prepare-version.ts";
import { UpdateDeferredError, type UpdateStep } from "../src/errors.ts";
import { rootPaths, versionFolder } from "../src/root/paths.ts";
import { checkManifest } from "../src/root/seal.ts";
import { downloadSourceCode } from "../src/source/download-source-code.ts";
import { keepArchive } from "../src/source/keep-archive.ts";
import { openArchive } from "../src/source/open-archive.ts";
import type { Take } from "./change/stage.ts";
import { openWorkshop, type Workshop } from "./preparation/workshop.ts";
import { failureOf, makeFolder, startHost } from "./source/support.ts";
import { canMount, SmallDisk } from "./support/small-disk.ts";

/** What a preparation must find free before it begins, and a little more. */
const MEGABYTES = 240;

describe.skipIf(!canMount)("a disk that fails (needs the right to mount)", { timeout: 120_000 }, () => {
  let workshop: Workshop;
  beforeAll(async () => {
    workshop = await openWorkshop();
    for (const [name, value] of Object.entries(workshop.stage.environment)) vi.stubEnv(name, value);
  }, 240_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await workshop[Symbol.asyncDispose]();
  });

  it.each<[string, UpdateStep, (disk: SmallDisk) => void, string]>([
    ["full", "fetch", (disk) => disk.fill(), "IVY_NO_ROOM"],
    ["nearly full", "fetch", (disk) => disk.fill(40_000), "IVY_NO_ROOM"],
    ["full", "install", (disk) => disk.fill(), "ENOSPC"],
    ["nearly full", "install", (disk) => disk.fill(500_000), "IVY_NO_ROOM"],
    ["out of files", "install", (disk) => disk.limitFiles(100), "IVY_NO_ROOM"],
    ["read-only", "install", (disk) => disk.makeReadOnly(), "EROFS"],
    ["full", "build", (disk) => disk.fill(), "IVY_NO_ROOM"],
    ["read-only", "build", (disk) => disk.makeReadOnly(), "IVY_DISK_FAILED"],
    ["read-only", "test", (disk) => disk.makeReadOnly(), "EROFS"],
    ["full", "seal", (disk) => disk.fill(), "ENOSPC"],
    ["read-only", "seal", (disk) => disk.makeReadOnly(), "EROFS"],
  ])("%s at the step %s says nothing of the version", async (how, when, spoil, why) => {
    using disk = new SmallDisk(MEGABYTES);
    await using take = workshop.stage.take(disk.folder);
    take.copyOf(workshop.template);
    const spoilt = await endOf(take, (step) => {
      if (step === when) spoil(disk);
    });
    expect(spoilt).toMatch(why);
    expect(spoilt).not.toMatch("UpdateRejectedError");
    const { paths } = requestOf(take);
    if (how !== "read-only") expect(stillThere(take)).toEqual([]);
    disk.repair();
    expect(await endOf(take, () => undefined)).toBe("ready");
    expect(checkManifest(versionFolder(paths, "2.0.0"), "content")).toBeUndefined();
    expect(readdirSync(paths.stage)).toEqual([]);
    expect(readdirSync(paths.trash)).toEqual([]);
  });

  it("has room for a version as soon as those are gone that nobody has accepted", async () => {
    using disk = new SmallDisk(MEGABYTES);
    await using take = workshop.stage.take(disk.folder);
    take.copyOf(workshop.template);
    const { paths } = requestOf(take);
    mkdirSync(versionFolder(paths, "3.0.0"));
    execFileSync("fallocate", ["-l", "100m", join(versionFolder(paths, "3.0.0"), "blob")]);
    expect(await endOf(take, () => undefined)).toBe("ready");
    expect(existsSync(versionFolder(paths, "3.0.0"))).toBe(false);
    expect(existsSync(requestOf(take).running)).toBe(true);
  });

  it("takes the archive from a stick once", async () => {
    await using host = await startHost({
      files: { "package.json": '{"version":"4.5.6"}', blob: randomBytes(3_000_000) },
    });
    const stick = join(host.source, "ivy.tar.gz");
    writeFileSync(stick, host.repository.archive(host.release.commit));
    using disk = new SmallDisk(8);
    const paths = rootPaths(disk.folder);
    const file = keepArchive(paths, stick);
    rmSync(stick);
    const open = { file, trustedKeys: [], stage: paths.stage, signal: AbortSignal.timeout(50_000) };
    await expect(openArchive(open)).rejects.toMatchObject({ code: "IVY_NO_ROOM" });
    expect(await openArchive({ ...open, isOwn: true })).toMatchObject({ version: "4.5.6" });
    expect(existsSync(file)).toBe(true);
  });

  it("leaves nothing of an archive for which it has no room", async () => {
    using folder = makeFolder({ "ivy.tar.gz": randomBytes(3_000_000), "ivy.tar.gz.minisig": "x" });
    using disk = new SmallDisk(2);
    const paths = rootPaths(disk.folder);
    expect(() => keepArchive(paths, join(folder.path, "ivy.tar.gz"))).toThrow(/ENOSPC/);
    expect(readdirSync(paths.inbox)).toEqual([]);
  });

  it.each([
    ["github", "as it comes", 1],
    ["github", "as it is unpacked", 4],
    ["git", "as it comes", 1],
    ["git", "as it is packed", 5],
  ] as const)(
    "that is full for a version from %s %s is no reason to give it up",
    async (provider, _, megabytes) => {
      await using host = await startHost({ files: { "package.json": "{}", blob: randomBytes(3_000_000) } });
      using disk = new SmallDisk(megabytes);
      const remote = provider === "git" ? { remote: host.repository.path } : {};
      const options = { ...host.options({ provider, ...remote }), stage: join(disk.folder, "stage") };
      const failure = await failureOf(downloadSourceCode(options));
      expect(failure).toMatchObject({ rejected: false, code: "IVY_NO_ROOM" });
      expect(existsSync(join(options.stage, "src"))).toBe(false);
    },
  );
});

function requestOf({ root }: Take): PreparationRequest {
  const paths = rootPaths(root);
  const updater = UpdaterConfig.parse({
    repository: "org/repo",
    provider: "git",
    provider_host: "git.example",
    remote: process.env["IVY_PLAY_REMOTE"],
  });
  const config = { general: { config_revision: 2, software_version: "2.0.0" } };
  const running = versionFolder(paths, "1.0.0");
  return { paths, version: "2.0.0", txid: "2-t", config, updater, running, secrets: [] };
}

/** How a preparation ends, in words. */
async function endOf(take: Take, onStep: (step: UpdateStep) => void): Promise<string> {
  try {
    await prepareVersion(requestOf(take), { signal: new AbortController().signal, onStep });
    return "ready";
  } catch (error) {
    return error instanceof UpdateDeferredError ? error.code : String(error);
  }
}

/** What takes room though nothing is being prepared. */
function stillThere({ root }: Take): string[] {
  const paths = rootPaths(root);
  return [
    ...readdirSync(root).filter((name) => name === "2.0.0"),
    ...readdirSync(paths.trash),
    ...readdirSync(join(paths.stage, "2-t")).filter((name) => name !== "config.json"),
  ];
}
