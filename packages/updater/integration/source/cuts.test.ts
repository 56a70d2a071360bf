import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { hasCompiler, setRoom, withFaults } from "@ivy/tooling/file-faults";
import { describe, expect, it, vi } from "vitest";
import { downloadSourceCode } from "../../src/source/download-source-code.ts";
import { startFetching } from "./program.ts";
import { FILES, failureOf, makeFolder, startHost } from "./support.ts";

const KIB_64 = 65_536;

/** So large that its download is cut several times. */
const largeFiles = (bytes = 5 * KIB_64) => ({ ...FILES, noise: randomBytes(bytes) });

type Host = Awaited<ReturnType<typeof startHost>>;

const downloads = ({ server }: Host) => server.requests.filter(({ host }) => host === "storage");

/** Tries until it succeeds; the codes of the attempts that did not. */
async function fetchWithRetries(host: Host): Promise<{ treeId: string; codes: string[] }> {
  const codes: string[] = [];
  for (;;) {
    const attempt = downloadSourceCode(host.options());
    const failure = await failureOf(attempt).catch(() => undefined);
    if (failure === undefined) return { treeId: (await attempt).treeId, codes };
    codes.push(failure.code);
    if (failure.rejected || codes.length > 20) throw new Error(`unexpected: ${failure.message}`);
  }
}

describe("a download that is cut off every 64 KiB", () => {
  it("goes on where it was cut, and no byte is asked for twice", async () => {
    await using host = await startHost({ files: largeFiles() });
    host.server.trouble = ({ host: at }) => (at === "storage" ? { cutAfter: KIB_64 } : undefined);
    const { treeId, codes } = await fetchWithRetries(host);
    expect(treeId).toBe(host.release.tree);
    expect(codes.length).toBeGreaterThanOrEqual(5);
    const starts = downloads(host).map(({ range }) => Number(/\d+/.exec(range ?? "0")?.[0]));
    expect(starts).toEqual(starts.map((_start, index) => index * KIB_64));
  });

  it.each([
    ["does not know parts", { ignoresRange: true }],
    ["says nothing that the content could be known by", { etag: null }],
    ["says that the content only means the same", { etag: 'W/"1"' }],
  ])("begins anew where the host %s", async (_what, trouble) => {
    await using host = await startHost({ files: largeFiles() });
    let cuts = 2;
    host.server.trouble = ({ host: at }) =>
      at === "storage" ? { ...trouble, ...(cuts-- > 0 ? { cutAfter: KIB_64 } : {}) } : undefined;
    const { treeId, codes } = await fetchWithRetries(host);
    expect({ treeId, cuts: codes.length }).toEqual({ treeId: host.release.tree, cuts: 2 });
  });

  it("never mixes two contents: it begins anew once the content is another", async () => {
    await using host = await startHost({ files: largeFiles() });
    let isCut = true;
    host.server.trouble = ({ host: at }) => (at === "storage" && isCut ? { cutAfter: KIB_64 } : undefined);
    await failureOf(downloadSourceCode(host.options()));
    using other = makeFolder(largeFiles());
    const moved = host.repository.release(other.path, "v4.5.6");
    host.server.releases.splice(0, 1, {
      ...host.release,
      ...moved,
      archive: host.repository.archive(moved.commit),
    });
    isCut = false;
    expect((await downloadSourceCode(host.options())).treeId).toBe(moved.tree);
    expect(downloads(host).at(-1)?.range).toBe(`bytes=${KIB_64}-`);
  });

  it("is noticed also where the host does not say how long the content is", async () => {
    await using host = await startHost({ files: largeFiles() });
    host.server.trouble = ({ host: at }) =>
      at === "storage" ? { cutAfter: KIB_64, withoutLength: true } : undefined;
    expect(await failureOf(downloadSourceCode(host.options()))).toMatchObject({ rejected: false });
    expect(existsSync(join(host.stage, "src"))).toBe(false);
  });

  it("leaves the part of another version alone, and takes nothing of it", async () => {
    await using host = await startHost({ files: largeFiles() });
    host.server.trouble = ({ host: at }) => (at === "storage" ? { cutAfter: KIB_64 } : undefined);
    await failureOf(downloadSourceCode(host.options()));
    using other = makeFolder({ "package.json": "{}" });
    const next = host.repository.release(other.path, "v4.5.7");
    host.server.releases.push({ ...host.release, ...next, archive: host.repository.archive(next.commit) });
    host.server.trouble = () => undefined;
    expect((await downloadSourceCode({ ...host.options(), version: "4.5.7" })).treeId).toBe(next.tree);
    expect(downloads(host).at(-1)?.range).toBeUndefined();
  });
});

describe("a process that fetches", () => {
  it("goes on where it was when it was killed", async () => {
    await using host = await startHost({ files: largeFiles(20 * 2 ** 20) });
    const { child } = startFetching(host.options(), host);
    host.server.trouble = ({ host: at, range }) =>
      at === "storage" && range === undefined ? { cutAfter: 12 * 2 ** 20, hangs: true } : undefined;
    await vi.waitFor(() => expect(syncedBytes(host)).toBeGreaterThan(2 ** 20), 30_000);
    child.kill("SIGKILL");
    await once(child, "close");
    expect((await downloadSourceCode(host.options())).treeId).toBe(host.release.tree);
    expect(downloads(host).at(-1)?.range).toMatch(/^bytes=[1-9]\d{6,}-$/);
  });

  it("takes git along when it is killed", async () => {
    await using host = await startHost();
    host.server.trouble = () => ({ delayMs: 60_000 });
    const env = { ...process.env, GIT_SSL_CAINFO: host.caFile };
    const { child } = startFetching(host.options({ provider: "git" }), { ...host, env });
    const gits = () => processesWith(`GIT_DIR=${host.stage}/`);
    await vi.waitFor(() => expect(host.server.requests).not.toEqual([]), 30_000);
    expect(gits()).not.toEqual([]);
    child.kill("SIGKILL");
    await vi.waitFor(() => expect(gits()).toEqual([]), 30_000);
  });

  it("needs little memory for a large version, and less than the limit of any step", async () => {
    await using host = await startHost({ files: largeFiles(24 * 2 ** 20) });
    const { treeId, peakKilobytes } = await startFetching(host.options(), host).outcome();
    expect(treeId).toBe(host.release.tree);
    expect(peakKilobytes).toBeLessThan(250_000);
  });
});

describe.skipIf(!hasCompiler)("a full disk (needs a C compiler)", () => {
  it("lets the version wait, whatever is being written, until there is room", async () => {
    await using host = await startHost({ files: { ...largeFiles(200_000), other: randomBytes(100_000) } });
    using work = makeFolder();
    const stage = join(realpathSync(work.path), "stage");
    const room = join(work.path, "room");
    mkdirSync(stage);
    setRoom(room, 0);
    const env = withFaults(work.path, { folder: stage, room });
    const fetchWith = async (bytes: number) => {
      setRoom(room, bytes);
      return startFetching({ ...host.options(), stage }, { ...host, env }).outcome();
    };
    for (const bytes of [0, 100_000, 350_000]) {
      expect(await fetchWith(bytes)).toMatchObject({ name: "UpdateDeferredError", code: "IVY_NO_ROOM" });
      expect(readdirSync(stage)).not.toContain("src");
    }
    expect(await fetchWith(2 ** 40)).toMatchObject({ treeId: host.release.tree });
  });
});

function processesWith(inEnvironment: string): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(inEnvironment);
    } catch {
      return false;
    }
  });
}

function syncedBytes({ stage }: Host): number {
  const file = join(stage, "artifact.meta");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).bytes : 0;
}
