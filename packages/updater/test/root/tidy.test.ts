import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { StateInterface } from "@ivy/state";
import { describe, expect, it } from "vitest";
import { bootTime } from "../../src/change/boot-clock.ts";
import type { RootPaths } from "../../src/root/paths.ts";
import { switchPointer } from "../../src/root/pointers.ts";
import { tidy } from "../../src/root/tidy.ts";
import { keepArchive, takeArchive } from "../../src/source/keep-archive.ts";
import { addGeneration, emptyRoot, writeVersion } from "./root.ts";

/** Versions 1 to 4, of which 3 has never proven itself; 4 runs. */
async function rootOfFour() {
  const paths = emptyRoot();
  const names: string[] = [];
  for (const revision of [1, 2, 3, 4]) {
    const name = await addGeneration(paths, revision);
    mkdirSync(join(paths.trials, name), { recursive: true });
    if (revision !== 3) writeFileSync(join(paths.trials, name, "proven"), "");
    names.push(name);
  }
  switchPointer(paths, "active", names[3] ?? "");
  switchPointer(paths, "lastGood", names[3] ?? "");
  return { paths, names };
}

/** What it warns of. */
function tidied(paths: RootPaths, keptStage?: string): string {
  const warnings: string[] = [];
  tidy(paths, { keptVersions: 1, keptStage, warn: (text) => warnings.push(text) });
  return warnings.join("\n");
}

function versionsIn({ root }: RootPaths): string[] {
  return readdirSync(root)
    .filter((name) => /^\d/.test(name))
    .sort();
}

describe("tidying a root up", () => {
  it("keeps what runs and the newest proven version, and deletes the rest", async () => {
    const { paths, names } = await rootOfFour();
    writeVersion(paths, "9.0.0");
    mkdirSync(join(paths.generations, ".draft-1"));
    mkdirSync(join(paths.trash, "old"), { recursive: true });
    mkdirSync(join(paths.stage, "of a change that was superseded"), { recursive: true });
    mkdirSync(paths.data);
    symlinkSync("x", join(paths.root, ".active.0f"));
    expect(tidied(paths)).toBe("");
    expect(versionsIn(paths)).toEqual(["2.0.0", "4.0.0"]);
    expect(readdirSync(paths.generations).sort()).toEqual([names[1], names[3]]);
    expect(readdirSync(paths.root).sort()).toEqual([
      ".ivy",
      "2.0.0",
      "4.0.0",
      "active",
      "data",
      "ivy-cli.sh",
      "last-good",
    ]);
    expect(readdirSync(paths.trash)).toEqual([]);
    expect(readdirSync(paths.stage)).toEqual([]);
  });

  it("keeps what the change that is about to be prepared goes on with", async () => {
    const { paths } = await rootOfFour();
    for (const name of ["5-of this change", "4-of another"])
      mkdirSync(join(paths.stage, name), { recursive: true });
    expect(tidied(paths, "5-of this change")).toBe("");
    expect(readdirSync(paths.stage)).toEqual(["5-of this change"]);
  });

  it("deletes nothing in a trial", async () => {
    const { paths, names } = await rootOfFour();
    switchPointer(paths, "active", names[2] ?? "");
    expect(tidied(paths)).toMatch(/active and last-good differ/);
    expect(versionsIn(paths)).toHaveLength(4);
  });

  it("deletes nothing where the record of what runs is damaged", async () => {
    const { paths, names } = await rootOfFour();
    writeFileSync(join(paths.generations, names[3] ?? "", "gen.json"), "{");
    expect(tidied(paths)).toMatch(/damaged/);
    expect(versionsIn(paths)).toHaveLength(4);
  });

  it("keeps the records of the newest trials, for what has failed must not be started anew", async () => {
    const { paths } = await rootOfFour();
    for (let revision = 100; revision < 130; revision++) mkdirSync(join(paths.trials, `${revision}-a-1.0.0`));
    expect(tidied(paths)).toBe("");
    const kept = readdirSync(paths.trials);
    expect(kept).toContain("129-a-1.0.0");
    expect(kept).not.toContain("100-a-1.0.0");
  });

  it("keeps the copies of archives that a change waits for or somebody is making, and deletes the others", async () => {
    const { paths } = await rootOfFour();
    const { bootId, ms } = bootTime();
    const earlier = `${bootId}.${ms - 3_700_000}`;
    const names = [`${earlier}.awaited`, `${earlier}.forsaken`, "another-boot.5.forsaken", "of older form"];
    for (const name of names) mkdirSync(join(paths.inbox, name), { recursive: true });
    writeFileSync(join(paths.root, "ivy.tar.gz"), "x");
    const fresh = keepArchive(paths, join(paths.root, "ivy.tar.gz"));
    const taken = takeArchive(paths, join(paths.root, "ivy.tar.gz"));
    expect(existsSync(join(paths.root, "ivy.tar.gz"))).toBe(false);
    await new StateInterface({ dataDir: paths.data }).update((draft) => {
      const general = { config_revision: 5, software_version: "5.0.0" };
      const archive = join(paths.inbox, `${earlier}.awaited/ivy.tar.gz`);
      draft.pending_configs.push({ general, digest: "0".repeat(64), file: "x.json", archive });
    });
    expect(tidied(paths)).toBe("");
    const kept = [`${earlier}.awaited`, ...[fresh, taken].map((file) => basename(dirname(file)))];
    expect(readdirSync(paths.inbox).sort()).toEqual(kept.sort());
  });
});

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

/** Tidies up as a user for whom the rights of files count; returns what it warns of. */
function tidiedByUser(paths: RootPaths): string {
  if (isRoot) execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, paths.root]);
  for (const name of readdirSync(paths.trash).filter((name) => name.includes("of root")))
    execFileSync("chown", ["-R", "0:0", join(paths.trash, name)]);
  const module = new URL("../../src/root/tidy.ts", import.meta.url);
  const program = `import { tidy } from ${JSON.stringify(module)};
    tidy(${JSON.stringify(paths)}, { keptVersions: 1, warn: (text) => console.log(text) });`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@ivy/source", "--input-type=module", "--eval", program],
    { encoding: "utf8", ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}) },
  );
  return stdout + stderr;
}

function folderWithFile(folder: string, mode = 0o755): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "file"), "x");
  chmodSync(folder, mode);
}

describe("what a build has left", { timeout: 60_000 }, () => {
  it("is deleted also where its folders must not be written to", async () => {
    const { paths } = await rootOfFour();
    folderWithFile(join(paths.trash, "a/closed"), 0o555);
    chmodSync(join(paths.trash, "a"), 0o555);
    folderWithFile(join(paths.stage, "closed"), 0o555);
    folderWithFile(join(paths.trash, "b"));
    expect(tidiedByUser(paths)).toBe("");
    expect(readdirSync(paths.trash)).toEqual([]);
    expect(readdirSync(paths.stage)).toEqual([]);
  });

  it.skipIf(!isRoot)("and cannot be deleted keeps nothing else (needs root)", async () => {
    const { paths } = await rootOfFour();
    folderWithFile(join(paths.trash, "a of root"), 0o500);
    folderWithFile(join(paths.trash, "b"));
    expect(tidiedByUser(paths)).toMatch(/EPERM|EACCES/);
    expect(readdirSync(paths.trash)).toEqual(["a of root"]);
  });
});
