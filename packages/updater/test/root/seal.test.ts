import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkManifest, readSeal, sealVersion } from "../../src/root/seal.ts";
import { emptyRoot, writeVersion } from "./root.ts";

const ABOUT = { version: "1.0.0", txid: "t1", commit: "c0ffee", treeId: "7ee" };

async function sealed(): Promise<string> {
  const folder = writeVersion(emptyRoot(), "1.0.0");
  await sealVersion(folder, ABOUT);
  return folder;
}

describe("a seal", () => {
  it("says what was sealed, and is read back", async () => {
    const folder = writeVersion(emptyRoot(), "1.0.0");
    const seal = await sealVersion(folder, ABOUT);
    expect(seal).toMatchObject({ schema: 1, ...ABOUT, files: 2 });
    expect(readSeal(folder)).toEqual(seal);
    expect(checkManifest(folder, "content")).toBeUndefined();
  });

  it("lists links with their targets, and not itself, so that sealing again changes nothing", async () => {
    const folder = await sealed();
    const manifest = () => readFileSync(join(folder, ".ivy-manifest"), "utf8");
    const before = manifest();
    expect(before).toContain("l run.js\tdist/a link\n");
    await sealVersion(folder, ABOUT);
    expect(manifest()).toBe(before);
  });

  it.each([
    [
      "a file with two names",
      (folder: string) => linkSync(join(folder, "package.json"), join(folder, "twin")),
      "IVY_SHARED_FILE",
    ],
    [
      "a name with a line break",
      (folder: string) => writeFileSync(join(folder, "a\nb"), ""),
      "IVY_UNUSABLE_NAME",
    ],
    [
      "a link to a name with a line break",
      (folder: string) => symlinkSync("a\nb", join(folder, "c")),
      "IVY_UNUSABLE_NAME",
    ],
  ])("is refused for %s", async (_, spoil, code) => {
    const folder = writeVersion(emptyRoot(), "1.0.0");
    spoil(folder);
    await expect(sealVersion(folder, ABOUT)).rejects.toMatchObject({
      name: "UpdateRejectedError",
      step: "seal",
      code,
    });
    expect(readSeal(folder)).toBeUndefined();
  });

  it.each(["", "{", '{"schema":2}', "null"])("does not count where its file holds %o", async (text) => {
    const folder = await sealed();
    writeFileSync(join(folder, ".ivy-seal.json"), text);
    expect(readSeal(folder)).toBeUndefined();
    expect(checkManifest(folder, "sizes")).toMatch(/ivy-seal.json is missing or damaged/);
  });
});

describe("the check of a manifest", () => {
  it.each([
    ["a missing file", (folder: string) => rmSync(join(folder, "dist/run.js")), /dist\/run.js is missing/],
    [
      "a cut file",
      (folder: string) => truncateSync(join(folder, "dist/run.js")),
      /has 0 bytes instead of 11/,
    ],
    [
      "another link",
      (folder: string) => {
        rmSync(join(folder, "dist/a link"));
        symlinkSync("x", join(folder, "dist/a link"));
      },
      /a link is no link to run.js/,
    ],
    [
      "a missing link",
      (folder: string) => rmSync(join(folder, "dist/a link")),
      /a link is no link to run.js/,
    ],
    [
      "a changed manifest",
      (folder: string) => appendFileSync(join(folder, ".ivy-manifest"), "\n"),
      /ivy-manifest is missing or damaged/,
    ],
    [
      "a missing manifest",
      (folder: string) => rmSync(join(folder, ".ivy-manifest")),
      /ivy-manifest is missing or damaged/,
    ],
  ])("finds %s by the sizes", async (_, spoil, problem) => {
    const folder = await sealed();
    spoil(folder);
    expect(checkManifest(folder, "sizes")).toMatch(problem);
  });

  it("finds another content of the same length by reading it, and takes no notice of new files", async () => {
    const folder = await sealed();
    writeFileSync(join(folder, "dist/run.js"), "EXPORT {};\n");
    mkdirSync(join(folder, "cache"));
    writeFileSync(join(folder, "cache/new"), "");
    expect(checkManifest(folder, "sizes")).toBeUndefined();
    expect(checkManifest(folder, "content")).toMatch(/dist\/run.js has another content/);
  });
});
