import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { makeKey, signRelease } from "../../src/signature/release.ts";
import { downloadSourceCode } from "../../src/source/download-source-code.ts";
import { failureOf, makeFolder, REPOSITORY, startHost, TOKEN } from "./support.ts";

const git = (remote?: string) => ({ provider: "git" as const, ...(remote === undefined ? {} : { remote }) });

/** Git knows no authority that is not the system's, unless it is told by its own name. */
function trust(caFile: string): void {
  vi.stubEnv("GIT_SSL_CAINFO", caFile);
  onTestFinished(() => void vi.unstubAllEnvs());
}

/** Lays the signed manifest where a node looks for it. */
function publish(
  host: Awaited<ReturnType<typeof startHost>>,
  files: { manifest: string; signature: string },
): void {
  using folder = makeFolder({
    "ivy-release.json": files.manifest,
    "ivy-release.json.minisig": files.signature,
  });
  const { tree } = host.repository.release(folder.path, "manifest");
  host.repository.git("update-ref", "refs/ivy/releases/v4.5.6", tree);
}

/** Arguments and environment of all processes that may be looked at. */
function processes(): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => ["cmdline", "environ"].map((name) => tryRead(`/proc/${pid}/${name}`)));
}

function contents(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return files.map(({ parentPath, name }) => tryRead(join(parentPath, name)));
}

function tryRead(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

describe("a version at a git remote", () => {
  it("is fetched from a folder and unpacked as it was committed, also what the archives of git leave out", async () => {
    const files = { ".gitattributes": "secret.txt export-ignore\n*.txt eol=crlf\n", "secret.txt": "a\nb\n" };
    await using host = await startHost({ files });
    const source = await downloadSourceCode(host.options(git(host.repository.path)));
    expect(source).toMatchObject({ commit: host.release.commit, treeId: host.release.tree });
    expect(readFileSync(join(source.folder, "secret.txt"), "utf8")).toBe("a\nb\n");
    expect(readdirSync(host.stage)).toEqual(["src"]);
  });

  it("is fetched over HTTPS with a token", async () => {
    await using host = await startHost({ token: TOKEN });
    trust(host.caFile);
    const source = await downloadSourceCode({ ...host.options(git()), commit: host.release.commit });
    expect(source.treeId).toBe(host.release.tree);
    expect(host.server.requests.some(({ path }) => path.startsWith(`/${REPOSITORY}.git/`))).toBe(true);
    expect(host.server.requests.filter(({ path }) => path.includes(TOKEN))).toEqual([]);
  });

  it("has its token in no argument, environment or file while git runs", async () => {
    await using host = await startHost({ token: TOKEN });
    trust(host.caFile);
    const abort = new AbortController();
    host.server.trouble = ({ hasToken }) => (hasToken ? { delayMs: 600_000 } : undefined);
    const attempt = downloadSourceCode({ ...host.options(git()), signal: abort.signal });
    await vi.waitFor(() => expect(host.server.requests.some(({ hasToken }) => hasToken)).toBe(true), 20_000);
    expect(processes().some((text) => text.includes("remote-https"))).toBe(true);
    expect(processes().filter((text) => text.includes(TOKEN))).toEqual([]);
    expect(contents(host.stage).filter((text) => text.includes(TOKEN))).toEqual([]);
    abort.abort(new Error("seen enough"));
    await expect(attempt).rejects.toThrow("seen enough");
  });

  it("is not shown to a wrong token, and the error does not tell it", async () => {
    await using host = await startHost({ token: TOKEN });
    trust(host.caFile);
    const wrong = "glpat-wrong-canary";
    const failure = await failureOf(downloadSourceCode(host.options({ ...git(), access_token: wrong })));
    expect(failure).toMatchObject({ rejected: true, code: "IVY_ACCESS_DENIED" });
    expect(JSON.stringify(failure)).not.toContain(wrong);
  });

  it("does not follow a redirect, with which a token could go elsewhere", async () => {
    await using host = await startHost({ token: TOKEN });
    trust(host.caFile);
    const { server } = host;
    server.trouble = ({ host: at, path }) =>
      at === "api"
        ? { status: 302, headers: { location: `https://${server.storageHost}${path}` } }
        : undefined;
    const failure = await failureOf(downloadSourceCode(host.options(git())));
    expect(failure).toMatchObject({ rejected: true, code: "IVY_BAD_REDIRECT" });
    expect(server.requests.filter(({ host: at }) => at === "storage")).toEqual([]);
  });

  it("is fetched over ssh, which asks nobody anything", async () => {
    await using host = await startHost();
    using bin = makeFolder({
      ssh: '#!/bin/sh\necho "$@" >> "$0.log"\nfor last; do :; done\nexec sh -c "$last"\n',
    });
    chmodSync(join(bin.path, "ssh"), 0o755);
    vi.stubEnv("PATH", `${bin.path}:${process.env["PATH"]}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const remote = `ssh://git@example.com${host.repository.path}`;
    const options = host.options({ ...git(remote), access_token: TOKEN });
    expect((await downloadSourceCode(options)).treeId).toBe(host.release.tree);
    const asked = readFileSync(join(bin.path, "ssh.log"), "utf8");
    expect(asked).toContain("BatchMode=yes");
    expect(asked).not.toContain(TOKEN);
  });

  it("is refused if its tag does not exist, or stands for another commit", async () => {
    await using host = await startHost();
    const options = host.options(git(host.repository.path));
    const none = await failureOf(downloadSourceCode({ ...options, version: "9.9.9" }));
    expect(none).toMatchObject({ rejected: true, code: "IVY_TAG_NOT_FOUND" });
    const moved = await failureOf(downloadSourceCode({ ...options, commit: "0123456789".repeat(4) }));
    expect(moved).toMatchObject({ rejected: true, code: "IVY_COMMIT_MISMATCH" });
  });

  it("is refused if it has links", async () => {
    await using host = await startHost();
    symlinkSync("/etc/passwd", join(host.source, "passwords"));
    host.repository.release(host.source, "v4.5.6");
    const failure = await failureOf(downloadSourceCode(host.options(git(host.repository.path))));
    expect(failure).toMatchObject({ rejected: true, code: "IVY_ARCHIVE_ENTRY" });
    expect(readdirSync(host.stage)).toEqual([]);
  });

  it("is refused if it is larger than a release may be", async () => {
    await using host = await startHost();
    writeFileSync(join(host.source, "large"), randomBytes(300_000));
    host.repository.release(host.source, "v4.5.6");
    const limits = { archiveBytes: 100_000 };
    const failure = await failureOf(
      downloadSourceCode({ ...host.options(git(host.repository.path)), limits }),
    );
    expect(failure).toMatchObject({ rejected: true, code: "IVY_ARCHIVE_TOO_LARGE" });
    expect(readdirSync(host.stage)).toEqual([]);
  });

  it("waits if the host cannot be reached", async () => {
    await using host = await startHost();
    const failure = await failureOf(
      downloadSourceCode(host.options(git("https://127.0.0.1:9/field/ivy.git"))),
    );
    expect(failure).toMatchObject({ rejected: false, code: "IVY_HOST_UNREACHABLE" });
  });

  it("is ended with its processes when the change is given up", async () => {
    await using host = await startHost();
    trust(host.caFile);
    const abort = new AbortController();
    host.server.trouble = () => ({ delayMs: 600_000 });
    const attempt = downloadSourceCode({ ...host.options(git()), signal: abort.signal });
    await vi.waitFor(() => expect(host.server.requests).not.toEqual([]), 20_000);
    abort.abort(new Error("another configuration has come"));
    await expect(attempt).rejects.toThrow("another configuration has come");
    expect(existsSync(join(host.stage, "repository.git"))).toBe(false);
  });
});

describe("a signed version at a git remote", () => {
  it("is fetched if its manifest is signed by a trusted key", async () => {
    await using host = await startHost();
    const { publicKey, secretKey } = makeKey();
    publish(host, signRelease({ version: "4.5.6", ...host.release }, secretKey));
    const updater = { ...git(host.repository.path), trusted_keys: [publicKey] };
    expect((await downloadSourceCode(host.options(updater))).treeId).toBe(host.release.tree);
  });

  it("is refused without a manifest, and if the tag has been moved since", async () => {
    await using host = await startHost();
    const { publicKey, secretKey } = makeKey();
    const options = host.options({ ...git(host.repository.path), trusted_keys: [publicKey] });
    expect(await failureOf(downloadSourceCode(options))).toMatchObject({
      rejected: true,
      code: "IVY_RELEASE_UNSIGNED",
    });
    const release = signRelease({ version: "4.5.6", ...host.release }, secretKey);
    using alone = makeFolder({ "ivy-release.json": release.manifest });
    host.repository.git(
      "update-ref",
      "refs/ivy/releases/v4.5.6",
      host.repository.release(alone.path, "alone").tree,
    );
    expect(await failureOf(downloadSourceCode(options))).toMatchObject({
      rejected: true,
      code: "IVY_RELEASE_UNSIGNED",
    });
    publish(host, release);
    writeFileSync(join(host.source, "package.json"), "{}");
    host.repository.release(host.source, "v4.5.6");
    expect(await failureOf(downloadSourceCode(options))).toMatchObject({
      rejected: true,
      code: "IVY_COMMIT_MISMATCH",
    });
  });
});
