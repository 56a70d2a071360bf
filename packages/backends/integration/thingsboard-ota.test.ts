import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { ChunkFault, ChunkRequest, PackageAssignment, ThingsBoardServer } from "../src/testing.ts";
import type {
  InstallOptions,
  InstallPackage,
  InstallProgress,
  InstallVerdict,
  ThingsBoardNode,
} from "../src/thingsboard.ts";
import { connected, setUp, startBackend } from "./support/thingsboard.ts";

const WAIT = { timeout: 20_000 };
/** Four chunks of the usual size, the last one shorter. */
const DATA = randomBytes(50_000);
const NEWER = { kind: "sw", title: "ivy", version: "2.1.0", data: DATA } as const;
const WHOLE = ["DOWNLOADING", "DOWNLOADED", "VERIFIED", "UPDATING"];
const REFUSED = "VERSION_CHANGE_UNSUPPORTED: not yet";
/** As short as it can be on a busy machine: a chunk that is only late is asked for again, and in smaller ones. */
const IMPATIENT = { timing: { chunkMs: 1_000 } };

/** A server that assigns a package, and a node that takes what is assigned and shows what it got. */
async function setUpPackage(assignment: PackageAssignment) {
  const place = await setUp();
  place.server.assignPackage(assignment);
  const taken: Buffer[] = [];
  const installPackage: InstallPackage = async ({ file }, { onProgress }) => {
    if (file !== undefined) taken.push(readFileSync(file));
    onProgress({ state: "UPDATING" });
    return { outcome: "refused", code: "VERSION_CHANGE_UNSUPPORTED", reason: "not yet" };
  };
  return { ...place, taken, installPackage };
}

/** Resolves once the node knows that the server has the last state of a package: a cut before would bring it twice. */
async function untilReported({ state }: Pick<ThingsBoardNode, "state">, last: string): Promise<void> {
  const reported = { state: last, reported: true };
  await vi.waitFor(() => expect(state.load().packages?.["sw"]).toMatchObject(reported), WAIT);
}

/** Resolves once a package has failed, with all its states. */
async function statesOf(server: ThingsBoardServer, kind = "sw"): Promise<unknown[]> {
  await server.until(() => server.valuesOf(`${kind}_state`).includes("FAILED"));
  return server.valuesOf(`${kind}_state`);
}

/** Takes a package over, and does not come further than to a state. */
function under(state: InstallProgress["state"]): InstallPackage {
  return (_, options) => {
    options.onProgress({ state });
    return untilAborted(options);
  };
}

async function untilAborted({ signal }: InstallOptions): Promise<InstallVerdict> {
  signal.throwIfAborted();
  return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

function parts(dataDir: string): string[] {
  return existsSync(join(dataDir, "ota")) ? readdirSync(join(dataDir, "ota")) : [];
}

describe("a package that the server has assigned", () => {
  it.each(["sw", "fw"] as const)(
    "is downloaded, checked and handed over, and its page shows that (%s)",
    async (kind) => {
      const place = await setUpPackage({ ...NEWER, kind, tag: "t" });
      const { server, dataDir, taken } = place;
      const { installPackage } = startBackend(place, place);
      expect(await statesOf(server, kind)).toEqual([...WHOLE, "FAILED"]);
      expect(server.valuesOf(`${kind}_error`)).toEqual([REFUSED]);
      expect(taken).toEqual([DATA]);
      const { file: _, ...named } = installPackage.mock.calls[0]?.[0] ?? {};
      expect(named).toEqual({ kind, title: "ivy", version: "2.1.0", tag: "t" });
      expect(server.chunkRequests.map(({ chunk, size }) => [chunk, size])).toEqual(
        Array.from({ length: 4 }, (_, chunk) => [chunk, 16_384]),
      );
      await vi.waitFor(() => expect(parts(dataDir)).toEqual([]), WAIT);
    },
  );

  it.each(["SHA384", "SHA512"])("may have a checksum by %s", async (checksumAlgorithm) => {
    const place = await setUpPackage({ ...NEWER, checksumAlgorithm });
    startBackend(place, place);
    expect(await statesOf(place.server)).toEqual([...WHOLE, "FAILED"]);
    expect(place.taken).toEqual([DATA]);
  });

  it("is taken when it is assigned while the node is connected", async () => {
    const place = await setUp();
    const { installPackage } = startBackend(place);
    await connected(place.server);
    place.server.assignPackage({ ...NEWER, data: Buffer.from("small") });
    await statesOf(place.server);
    expect(installPackage).toHaveBeenCalledTimes(1);
  });

  it("is told of once: neither a reconnect nor a restart begins it again", async () => {
    const place = await setUpPackage(NEWER);
    const { server } = place;
    const first = startBackend(place, place);
    const states = await statesOf(server);
    await untilReported(first, "FAILED");
    server.kick();
    await connected(server, 2);
    await first.stop("restart");
    const second = startBackend(place, place);
    await connected(server, 3);
    await second.stop("restart");
    expect(server.valuesOf("sw_state")).toEqual(states);
    expect(server.chunkRequests).toHaveLength(4);
    expect(second.installPackage).not.toHaveBeenCalled();
  });

  it("is begun again when it is withdrawn and assigned anew", async () => {
    const place = await setUpPackage({ ...NEWER, data: Buffer.from("small") });
    const { server } = place;
    const { state } = startBackend(place, place);
    await statesOf(server);
    server.unassignPackage("sw");
    await vi.waitFor(() => expect(state.load().packages).toEqual({}), WAIT);
    server.assignPackage({ ...NEWER, data: Buffer.from("small") });
    await server.until(() => server.valuesOf("sw_state").length === 10);
    expect(server.valuesOf("sw_state")).toEqual([...WHOLE, "FAILED", ...WHOLE, "FAILED"]);
  });

  it("that is what runs is no update, and one that has become what runs is", async () => {
    const place = await setUp();
    const { server } = place;
    server.assignPackage({ ...NEWER, version: "2.0.0" });
    const first = startBackend(place, { installPackage: under("UPDATING") });
    await connected(server);
    server.assignPackage(NEWER);
    await server.until(() => server.valuesOf("sw_state").includes("UPDATING"));
    await vi.waitFor(() => expect(first.state.load().packages?.["sw"]?.state).toBe("UPDATING"), WAIT);
    await first.stop("restart");
    const still = startBackend(place, { installPackage: under("UPDATING") });
    await connected(server, 2);
    await still.stop("restart");
    const proven = Promise.withResolvers<InstallVerdict>();
    const second = startBackend(place, { version: "2.1.0", installPackage: () => proven.promise });
    // It is on trial, so it may be taken back yet.
    await vi.waitFor(() => expect(second.installPackage).toHaveBeenCalled(), WAIT);
    expect(server.valuesOf("sw_state")).toEqual(WHOLE);
    proven.resolve({ outcome: "accepted" });
    await server.until(() => server.valuesOf("sw_state").includes("UPDATED"));
    await untilReported(second, "UPDATED");
    server.kick();
    await connected(server, 4);
    await second.stop("restart");
    expect(server.valuesOf("sw_state")).toEqual([...WHOLE, "UPDATED"]);
    expect(server.valuesOf("current_sw_version")).toEqual(["2.0.0", "2.0.0", "2.1.0", "2.1.0"]);
  });

  it("that was handed over and does not run when the node comes back has failed, for the reason that is known then", async () => {
    const place = await setUpPackage(NEWER);
    const { server } = place;
    const first = startBackend(place, { installPackage: under("UPDATING") });
    await vi.waitFor(() => expect(first.state.load().packages?.["sw"]?.state).toBe("UPDATING"), WAIT);
    await first.stop("restart");
    const failed = { outcome: "refused", code: "UPDATE_REJECTED", reason: "its trial has failed" } as const;
    const { installPackage } = startBackend(place, { installPackage: async () => failed });
    expect(await statesOf(server)).toEqual([...WHOLE, "FAILED"]);
    expect(server.valuesOf("sw_error")).toEqual(["UPDATE_REJECTED: its trial has failed"]);
    expect(installPackage.mock.calls[0]?.[0]).not.toHaveProperty("file");
  });

  it("is handed over once though the connection ends meanwhile, and its page shows the outcome after that", async () => {
    const place = await setUpPackage(NEWER);
    const { server } = place;
    const node = startBackend(place, {
      async installPackage(_, { onProgress }) {
        onProgress({ state: "UPDATING" });
        await server.until(() => server.valuesOf("sw_state").includes("UPDATING"));
        server.kick();
        await connected(server, 2);
        return { outcome: "refused", code: "VERSION_CHANGE_UNSUPPORTED", reason: "not yet" };
      },
    });
    expect(await statesOf(server)).toEqual([...WHOLE, "FAILED"]);
    expect(node.installPackage).toHaveBeenCalledTimes(1);
    await untilReported(node, "FAILED");
    server.kick();
    await connected(server, 3);
    expect(server.valuesOf("sw_state")).toEqual([...WHOLE, "FAILED"]);
  });

  it("that lies elsewhere is handed over by its URL, without a download", async () => {
    const { data: _, ...named } = NEWER;
    const place = await setUpPackage({ ...named, url: "https://example.org/ivy/v2.1.0" });
    const { installPackage } = startBackend(place, place);
    expect(await statesOf(place.server)).toEqual([...WHOLE, "FAILED"]);
    expect(installPackage.mock.calls.map(([assigned]) => assigned)).toEqual([
      { ...named, url: "https://example.org/ivy/v2.1.0" },
    ]);
    expect(place.server.chunkRequests).toEqual([]);
  });

  it("that waits, is fetched and fails for now shows just that, and what was passed meanwhile", async () => {
    const { data: _, ...named } = NEWER;
    const place = await setUpPackage({ ...named, url: "https://example.org/ivy/v2.1.0" });
    const { server } = place;
    let onProgress: InstallOptions["onProgress"] | undefined;
    const first = startBackend(place, {
      installPackage(_, options) {
        onProgress = options.onProgress;
        return untilAborted(options);
      },
    });
    await vi.waitFor(() => expect(onProgress).toBeDefined(), WAIT);
    onProgress?.({ state: "DOWNLOADING", error: "DEFERRED: the window" });
    onProgress?.({ state: "DOWNLOADING" });
    onProgress?.({ state: "DOWNLOADING" });
    onProgress?.({ state: "VERIFIED" });
    onProgress?.({ state: "UPDATING" });
    onProgress?.({ state: "DOWNLOADING", error: "DEFERRED: the registry" });
    const told = ["DOWNLOADING", "DOWNLOADING", ...WHOLE, "DOWNLOADING"];
    await server.until(() => server.valuesOf("sw_state").length === told.length);
    expect(server.valuesOf("sw_state")).toEqual(told);
    expect(server.valuesOf("sw_error")).toEqual(["DEFERRED: the window", "DEFERRED: the registry"]);
    const known = { state: "DOWNLOADING", error: "DEFERRED: the registry", reported: true };
    await vi.waitFor(() => expect(first.state.load().packages?.["sw"]).toMatchObject(known), WAIT);
    await first.stop("restart");
    startBackend(place, place);
    await statesOf(server);
    expect(server.valuesOf("sw_state")).toEqual([...told, ...WHOLE.slice(1), "FAILED"]);
  });

  it("that waits is neither downloaded nor handed over again after a restart or a reconnect", async () => {
    const place = await setUpPackage(NEWER);
    const { server } = place;
    const first = startBackend(place, { installPackage: under("DOWNLOADING") });
    await vi.waitFor(() => expect(first.state.load().packages?.["sw"]?.taken).toBe(true), WAIT);
    await first.stop("restart");
    const second = startBackend(place, { installPackage: under("DOWNLOADING") });
    await vi.waitFor(() => expect(second.installPackage).toHaveBeenCalledTimes(1), WAIT);
    server.kick();
    await vi.waitFor(() => expect(second.installPackage).toHaveBeenCalledTimes(2), WAIT);
    for (const [assigned] of second.installPackage.mock.calls) expect(assigned).not.toHaveProperty("file");
    expect(server.chunkRequests).toHaveLength(4);
    expect(server.valuesOf("sw_state")).toEqual(WHOLE.slice(0, 3));
  });

  it("of which nothing is known any more is downloaded anew", async () => {
    const place = await setUpPackage(NEWER);
    const first = startBackend(place, {
      installPackage(assigned, options) {
        if (assigned.file !== undefined) rmSync(assigned.file);
        return under("UPDATING")(assigned, options);
      },
    });
    await vi.waitFor(() => expect(first.state.load().packages?.["sw"]?.state).toBe("UPDATING"), WAIT);
    await first.stop("restart");
    startBackend(place, {
      installPackage: async (assigned, options) =>
        assigned.file === undefined ? { outcome: "unknown" } : place.installPackage(assigned, options),
    });
    expect(await statesOf(place.server)).toEqual([...WHOLE, ...WHOLE, "FAILED"]);
    expect(place.taken).toEqual([DATA]);
  });

  it("gives way to another one that is assigned while it waits", async () => {
    const place = await setUpPackage(NEWER);
    const { state } = startBackend(place, {
      installPackage: (assigned, options) =>
        (assigned.version === "2.2.0" ? place.installPackage : under("DOWNLOADING"))(assigned, options),
    });
    await vi.waitFor(() => expect(state.load().packages?.["sw"]?.taken).toBe(true), WAIT);
    place.server.assignPackage({ ...NEWER, version: "2.2.0" });
    await statesOf(place.server);
    expect(place.taken).toEqual([DATA]);
  });
});

describe("the download of a package", () => {
  /** A fault at the first request for a chunk. */
  const once = (chunk: number, fault: ChunkFault) => {
    let due = true;
    return (request: ChunkRequest) => {
      if (!due || request.chunk !== chunk) return undefined;
      due = false;
      return fault;
    };
  };

  it.each(["lose", "twice", "late", "empty"] as const)(
    "is right though a chunk has the fault: %s",
    async (fault) => {
      const place = await setUpPackage(NEWER);
      place.server.faults.chunk = once(1, fault);
      startBackend(place, { ...place, ...IMPATIENT });
      expect(await statesOf(place.server)).toEqual([...WHOLE, "FAILED"]);
      expect(place.taken).toEqual([DATA]);
    },
  );

  it("goes on as another request when the package has left the server's cache", async () => {
    const place = await setUpPackage(NEWER);
    const { server } = place;
    server.faults.chunk = ({ chunk }) => {
      if (chunk === 2) server.expirePackages();
      return undefined;
    };
    startBackend(place, place);
    expect(await statesOf(server)).toEqual([...WHOLE, "FAILED"]);
    expect(place.taken).toEqual([DATA]);
    expect(new Set(server.chunkRequests.map(({ requestId }) => requestId)).size).toBe(2);
  });

  it("asks for smaller chunks when they do not come, and gives up until the next connection", async () => {
    const place = await setUpPackage({ ...NEWER, data: DATA.subarray(0, 40_000) });
    const { server } = place;
    server.faults.chunk = ({ connection, chunk, size }) =>
      connection === 0 && chunk * size >= 32_768 ? "lose" : undefined;
    startBackend(place, { ...place, timing: { chunkMs: 100 } });
    // Each request in vain waits twice as long as the one before.
    await server.until(() => server.valuesOf("sw_error").length > 0, 40_000);
    expect(server.valuesOf("sw_error")).toEqual([expect.stringMatching(/^NO_ANSWER: .* byte 32768$/)]);
    expect(server.valuesOf("sw_state")).toEqual(["DOWNLOADING"]);
    const inVain = server.chunkRequests.filter(({ chunk, size }) => chunk * size === 32_768);
    const sizes = inVain.map(({ size }) => size);
    expect(sizes).toHaveLength(6);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(sizes.at(-1)).toBe(1_024);
    server.kick();
    expect(await statesOf(server)).toEqual([...WHOLE, "FAILED"]);
    expect(place.taken).toEqual([DATA.subarray(0, 40_000)]);
    const again = server.chunkRequests.filter(({ connection }) => connection === 1);
    expect(again[0]).toMatchObject({ chunk: 32, size: 1_024 });
  });

  it("goes on after a reconnect where it was, and after a restart of the process", async () => {
    const place = await setUpPackage(NEWER);
    const { server } = place;
    server.faults.chunk = ({ chunk, connection }) => {
      if (connection === 0 && chunk === 1) server.kick();
      return connection === 1 && chunk === 2 ? "lose" : undefined;
    };
    const first = startBackend(place, place);
    await server.until(() =>
      server.chunkRequests.some(({ connection, chunk }) => connection === 1 && chunk === 2),
    );
    await first.stop("restart");
    startBackend(place, place);
    expect(await statesOf(server)).toEqual([...WHOLE, "FAILED"]);
    expect(place.taken).toEqual([DATA]);
    expect(server.chunkRequests.map(({ connection, chunk }) => [connection, chunk])).toEqual([
      [0, 0],
      [0, 1],
      [1, 1],
      [1, 2],
      [2, 2],
      [2, 3],
    ]);
  });

  it("never mixes two packages: another one that is assigned meanwhile is begun from its start", async () => {
    const place = await setUpPackage(NEWER);
    const { server, taken } = place;
    const other = randomBytes(30_000);
    server.faults.chunk = ({ chunk, connection }) => {
      if (connection === 0 && chunk === 2) server.kick();
      return undefined;
    };
    startBackend(place, place);
    await server.until(() => server.connections[0]?.closedBecause);
    server.assignPackage({ ...NEWER, version: "2.2.0", data: other });
    await statesOf(server);
    expect(taken).toEqual([other]);
    await vi.waitFor(() => expect(parts(place.dataDir)).toEqual([]), WAIT);
  });

  it("is dropped at once when another one is assigned on the same connection", async () => {
    const place = await setUpPackage(NEWER);
    const { server, taken } = place;
    const other = randomBytes(20_000);
    server.faults.chunk = ({ chunk }) => (chunk === 2 ? "lose" : undefined);
    startBackend(place, place);
    await server.until(() => server.chunkRequests.some(({ chunk }) => chunk === 2));
    server.assignPackage({ ...NEWER, version: "2.2.0", data: other });
    expect(await statesOf(server)).toEqual(["DOWNLOADING", ...WHOLE, "FAILED"]);
    expect(taken).toEqual([other]);
  });

  it("begins anew once when what was there is damaged", async () => {
    const place = await setUpPackage(NEWER);
    const { server } = place;
    server.faults.chunk = ({ connection, chunk }) => (connection === 0 && chunk === 2 ? "lose" : undefined);
    const first = startBackend(place, place);
    await server.until(() => server.chunkRequests.some(({ chunk }) => chunk === 2));
    await first.stop("restart");
    const [part = ""] = parts(place.dataDir);
    writeFileSync(join(place.dataDir, "ota", part), Buffer.alloc(32_768));
    startBackend(place, place);
    expect(await statesOf(server)).toEqual([...WHOLE, "FAILED"]);
    expect(place.taken).toEqual([DATA]);
  });

  it("is not begun where the disk has no room for it, and that is no failure", async () => {
    const place = await setUpPackage({ ...NEWER, size: Number.MAX_SAFE_INTEGER });
    const { server } = place;
    startBackend(place, place);
    await server.until(() => server.valuesOf("sw_error").length > 0);
    expect(server.valuesOf("sw_error")).toEqual([expect.stringMatching(/^NO_SPACE: /)]);
    expect(server.valuesOf("sw_state")).toEqual(["DOWNLOADING"]);
    expect(server.chunkRequests).toEqual([]);
    server.assignPackage(NEWER);
    expect(await statesOf(server)).toEqual(["DOWNLOADING", ...WHOLE, "FAILED"]);
  });

  it("asks for smaller chunks when the server complains about their size", async () => {
    const place = await setUpPackage(NEWER);
    const limited = await setUp({ limits: { maxPayloadSize: 8_300 } });
    limited.server.assignPackage(NEWER);
    startBackend({ ...place, server: limited.server }, place);
    expect(await statesOf(limited.server)).toEqual([...WHOLE, "FAILED"]);
    expect(limited.server.valuesOf("sw_error").at(-1)).toBe(REFUSED);
    expect(place.taken).toEqual([DATA]);
    expect(new Set(limited.server.chunkRequests.map(({ size }) => size))).toEqual(new Set([16_384, 8_192]));
  });
});

describe("a package fails, with a code that the page shows, when", () => {
  it.each([
    ["its checksum is weak", { checksumAlgorithm: "MD5" }, "CHECKSUM_WEAK"],
    ["its checksum is none", { checksum: "../../../../etc/passwd" }, "CHECKSUM_UNREADABLE"],
    ["its checksum is another one's", { checksum: "0".repeat(64) }, "CHECKSUM_MISMATCH"],
    ["the server holds less than it says", { size: 120_000 }, "SIZE_MISMATCH"],
    [
      "the server holds less than it says, by whole chunks",
      { data: DATA.subarray(0, 32_768), size: 45_000 },
      "SIZE_MISMATCH",
    ],
    ["the server holds more than it says", { size: 45_000 }, "SIZE_MISMATCH"],
  ])("%s", async (_, change, code) => {
    const place = await setUpPackage({ ...NEWER, ...change });
    const { installPackage } = startBackend(place, place);
    await statesOf(place.server);
    expect(place.server.valuesOf("sw_error")).toEqual([expect.stringMatching(new RegExp(`^${code}: `))]);
    expect(installPackage).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(parts(place.dataDir)).toEqual([]), WAIT);
    expect(place.server.connections).toEqual([{ clean: true }]);
  });

  it.each([
    ["NOT_FOUND", (server: ThingsBoardServer) => server.unassignPackage("sw")],
    [
      "FAILURE",
      (server: ThingsBoardServer) => server.assignPackage({ ...NEWER, data: undefined, url: "x" } as never),
    ],
  ])("the server says %s, and is not asked again and again", async (code, change) => {
    const place = await setUp();
    const { server } = place;
    server.assignPackage(NEWER);
    const attributes = Object.fromEntries(
      ["title", "version", "size", "checksum_algorithm", "checksum"].map((name) => [
        `sw_${name}`,
        name === "size" ? DATA.length : undefined,
      ]),
    );
    Object.assign(attributes, {
      sw_title: "ivy",
      sw_version: "2.1.0",
      sw_checksum_algorithm: "SHA256",
      sw_checksum: "a".repeat(64),
    });
    change(server);
    server.deleteShared(["sw_url"]);
    server.setShared(attributes);
    const node = startBackend(place);
    await statesOf(server);
    expect(server.valuesOf("sw_error")).toEqual([expect.stringMatching(new RegExp(`^${code}: `))]);
    await untilReported(node, "FAILED");
    server.kick();
    const before = server.connections.length;
    await server.until(() => server.connections.length > before);
    await connected(server, before + 1);
    expect(server.chunkRequests).toHaveLength(1);
    expect(node.installPackage).not.toHaveBeenCalled();
  });
});
