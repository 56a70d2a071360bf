import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeKey, signRelease } from "../../src/signature/release.ts";
import { downloadSourceCode } from "../../src/source/download-source-code.ts";
import { failureOf, makeFolder, startHost, TOKEN } from "./support.ts";

const { publicKey, secretKey } = makeKey();

type Host = Awaited<ReturnType<typeof startHost>>;

/** Signs the release at a host and lays the two files beside it. */
function sign(
  host: Host,
  { key = secretKey, ...about }: { key?: string; version?: string; archive_sha256?: string } = {},
): void {
  const { commit, tree } = host.release;
  const { manifest, signature } = signRelease({ version: "4.5.6", commit, tree, ...about }, key);
  host.server.releases.splice(0, 1, {
    ...host.release,
    assets: { "ivy-release.json": manifest, "ivy-release.json.minisig": signature },
  });
}

describe.each(["github", "gitlab"] as const)("a release at %s, where keys are trusted", (provider) => {
  const start = async () => {
    const host = await startHost({ token: TOKEN });
    const options = host.options({ provider, trusted_keys: [makeKey().publicKey, publicKey] });
    const attempt = () => downloadSourceCode(options);
    /** How an attempt ends before anything of the archive has been fetched, let alone unpacked. */
    const refusal = async () => {
      const failure = await failureOf(attempt());
      expect(host.server.requests.filter(({ path }) => /tarball|legacy|archive/.test(path))).toEqual([]);
      expect(existsSync(join(host.stage, "src"))).toBe(false);
      expect(failure).toMatchObject({ rejected: true, step: "verify" });
      return failure.code;
    };
    return { host, options, attempt, refusal, [Symbol.asyncDispose]: () => host[Symbol.asyncDispose]() };
  };

  it("is fetched if one of them has signed it", async () => {
    await using test = await start();
    sign(test.host);
    const { commit, tree } = test.host.release;
    expect(await test.attempt()).toMatchObject({ commit, treeId: tree });
    expect(
      test.host.server.requests.filter(({ path }) => path.includes("/releases/tags/")).length,
    ).toBeLessThan(2);
    expect(test.host.server.requests.filter(({ host, hasToken }) => host === "storage" && hasToken)).toEqual(
      [],
    );
  });

  it("is refused before its archive is fetched if it is unsigned, altered, or signed by another key", async () => {
    await using test = await start();
    expect(await test.refusal()).toBe("IVY_RELEASE_UNSIGNED");
    sign(test.host, { key: makeKey().secretKey });
    expect(await test.refusal()).toBe("IVY_KEY_NOT_TRUSTED");
    sign(test.host);
    const [release] = test.host.server.releases;
    const manifest = String(release?.assets?.["ivy-release.json"]).replace(/"tree": "./, '"tree": "f');
    Object.assign(release?.assets ?? {}, { "ivy-release.json": manifest });
    expect(await test.refusal()).toBe("IVY_SIGNATURE_INVALID");
  });

  it("is refused if its manifest is that of an older release", async () => {
    await using test = await start();
    sign(test.host, { version: "4.5.5" });
    expect(await test.refusal()).toBe("IVY_MANIFEST_OTHER_VERSION");
  });

  it("is refused if the configuration wants another commit", async () => {
    await using test = await start();
    sign(test.host);
    const failure = await failureOf(downloadSourceCode({ ...test.options, commit: "0123456789".repeat(4) }));
    expect(failure).toMatchObject({ rejected: true, code: "IVY_COMMIT_MISMATCH" });
  });

  it("is refused before it is unpacked if the archive holds something else", async () => {
    await using test = await start();
    sign(test.host);
    using other = makeFolder({ "package.json": '{"scripts":{"preinstall":"halt"}}' });
    const { commit } = test.host.repository.release(other.path, "v9.9.9");
    const [release] = test.host.server.releases;
    Object.assign(release ?? {}, { archive: test.host.repository.archive(commit) });
    expect(await failureOf(test.attempt())).toMatchObject({ rejected: true, code: "IVY_TREE_MISMATCH" });
    expect(existsSync(join(test.host.stage, "src"))).toBe(false);
  });

  it("is the signed one also after its tag has been moved", async () => {
    await using test = await start();
    sign(test.host);
    using other = makeFolder({ "package.json": "{}" });
    const moved = test.host.repository.release(other.path, "v4.5.6");
    test.host.server.releases.push({
      ...test.host.release,
      ...moved,
      archive: test.host.repository.archive(moved.commit),
    });
    expect((await test.attempt()).treeId).toBe(test.host.release.tree);
  });

  it("may bring an archive of its own, which must be the signed one to a byte", async () => {
    await using test = await start();
    const archive = test.host.repository.archive(test.host.release.commit, "ivy-4.5.6");
    sign(test.host, { archive_sha256: createHash("sha256").update(archive).digest("hex") });
    const [release] = test.host.server.releases;
    expect(await failureOf(test.attempt())).toMatchObject({ rejected: true, code: "IVY_ASSET_NOT_FOUND" });
    Object.assign(release?.assets ?? {}, { "ivy-release.tar.gz": archive });
    expect((await test.attempt()).treeId).toBe(test.host.release.tree);
    Object.assign(release?.assets ?? {}, { "ivy-release.tar.gz": test.host.release.archive });
    expect(await failureOf(test.attempt())).toMatchObject({ rejected: true, code: "IVY_ARCHIVE_MISMATCH" });
  });
});
