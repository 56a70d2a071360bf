import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { blake2b, parseSecretKey, signDigest } from "../../src/signature/minisign.ts";
import { makeKey, signRelease } from "../../src/signature/release.ts";
import { openArchive } from "../../src/source/open-archive.ts";
import { createRepository } from "../../src/testing/repository.ts";
import { FILES, failureOf, makeFolder } from "./support.ts";

const { publicKey, secretKey } = makeKey();

/** A stick with an archive of version 4.5.6, and a stage. */
function prepare(files: Record<string, string | Buffer> = FILES) {
  const resources = new DisposableStack();
  onTestFinished(() => resources.dispose());
  const repository = resources.use(createRepository());
  const source = resources.use(makeFolder(files));
  const release = repository.release(source.path, "v4.5.6");
  const archive = repository.archive(release.commit);
  const stick = resources.use(makeFolder({ "ivy.tar.gz": archive }));
  const stage = resources.use(makeFolder()).path;
  const file = join(stick.path, "ivy.tar.gz");
  const open = (trustedKeys: string[] = [], limits = {}) =>
    openArchive({ file, trustedKeys, stage, signal: AbortSignal.timeout(50_000), limits });
  return { file, archive, release, stage, open };
}

describe("an archive that somebody has brought along", () => {
  it("is unpacked, says which version it is, and stays where it is", async () => {
    const { file, release, stage, open } = prepare();
    const { commit, tree } = release;
    expect(await open()).toEqual({ folder: join(stage, "src"), version: "4.5.6", commit, treeId: tree });
    expect(readdirSync(stage)).toEqual(["src"]);
    expect(existsSync(file)).toBe(true);
  });

  it("counts with a signed manifest beside it, or with a signature of its own", async () => {
    const { file, archive, release, open } = prepare();
    const archive_sha256 = createHash("sha256").update(archive).digest("hex");
    const { manifest, signature } = signRelease({ version: "4.5.6", ...release, archive_sha256 }, secretKey);
    writeFileSync(`${file}.json`, manifest);
    expect((await failureOf(open([publicKey]))).code).toBe("IVY_RELEASE_UNSIGNED");
    writeFileSync(`${file}.json.minisig`, signature);
    expect((await open([publicKey])).treeId).toBe(release.tree);
    writeFileSync(`${file}.json`, manifest.replace("4.5.6", "9.9.9"));
    expect((await failureOf(open([publicKey]))).code).toBe("IVY_SIGNATURE_INVALID");

    const own = prepare();
    writeFileSync(`${own.file}.minisig`, signDigest(blake2b(own.archive), "ivy", parseSecretKey(secretKey)));
    expect(await own.open([publicKey])).toMatchObject({ version: "4.5.6", treeId: own.release.tree });
  });

  it("is refused if it is unsigned, signed by another key, or has been altered since", async () => {
    const { file, archive, stage, open } = prepare();
    expect(await failureOf(open([publicKey]))).toMatchObject({
      rejected: true,
      code: "IVY_RELEASE_UNSIGNED",
    });
    writeFileSync(
      `${file}.minisig`,
      signDigest(blake2b(archive), "ivy", parseSecretKey(makeKey().secretKey)),
    );
    expect(await failureOf(open([publicKey]))).toMatchObject({ rejected: true, code: "IVY_KEY_NOT_TRUSTED" });
    writeFileSync(`${file}.minisig`, signDigest(blake2b(archive), "ivy", parseSecretKey(secretKey)));
    writeFileSync(file, Buffer.concat([archive, Buffer.alloc(1)]));
    expect(await failureOf(open([publicKey]))).toMatchObject({
      rejected: true,
      code: "IVY_SIGNATURE_INVALID",
    });
    expect(readdirSync(stage)).toEqual([]);
  });

  it("is refused if it is not there, too large, or does not say which version it is", async () => {
    const { file, stage, open } = prepare({ noise: randomBytes(20_000) });
    expect((await failureOf(open([], { archiveBytes: 10_000 }))).code).toBe("IVY_ARCHIVE_TOO_LARGE");
    expect((await failureOf(open())).code).toBe("IVY_VERSION_UNKNOWN");
    expect(readdirSync(stage)).toEqual([]);
    const missing = openArchive({
      file: `${file}.old`,
      trustedKeys: [],
      stage,
      signal: AbortSignal.timeout(50_000),
    });
    expect((await failureOf(missing)).code).toBe("IVY_ARCHIVE_NOT_FOUND");
    expect(readFileSync(file).length).toBeGreaterThan(20_000);
  });
});
