import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createTestAuthority } from "@ivy/messaging/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { downloadSourceCode } from "../../src/source/download-source-code.ts";
import { startReleaseServer } from "../../src/testing/release-server.ts";
import type { Trouble } from "../../src/testing/serve-file.ts";
import { failureOf, makeFolder, startHost, TOKEN } from "./support.ts";

const KINDS = ["github", "gitlab"] as const;
const LOGIN_PAGE: Trouble = { status: 200, body: "<!doctype html><title>Sign in</title>" };

afterEach(() => void vi.useRealTimers());

let host: Awaited<ReturnType<typeof startHost>>;
beforeAll(async () => {
  host = await startHost({ token: TOKEN });
});
afterAll(() => host[Symbol.asyncDispose]());

/** How an attempt ends while something goes wrong with every answer that brings the archive. */
async function failWith(provider: (typeof KINDS)[number], trouble: Trouble) {
  using stage = makeFolder();
  host.server.trouble = () => trouble;
  const failure = await failureOf(downloadSourceCode({ ...host.options({ provider }), stage: stage.path }));
  expect(existsSync(join(stage.path, "src"))).toBe(false);
  return failure;
}

describe.each(KINDS)("trouble at %s", (provider) => {
  it.each<[string, Trouble, number | undefined]>([
    ["403 with Retry-After", { status: 403, headers: { "retry-after": "120" } }, 120],
    [
      "429 with a date",
      {
        status: 429,
        headers: { "retry-after": "Wed, 25 Nov 2026 12:10:00 GMT", date: "Wed, 25 Nov 2026 12:00:00 GMT" },
      },
      600,
    ],
    [
      "a limit that is used up",
      {
        status: 403,
        headers: {
          "x-ratelimit-remaining": "0",
          "x-ratelimit-reset": "1764072300",
          date: "Tue, 25 Nov 2025 12:00:00 GMT",
        },
      },
      300,
    ],
    [
      "a limit that only the text tells",
      { status: 403, body: "You have exceeded a secondary rate limit." },
      undefined,
    ],
    ["429 without a time", { status: 429 }, undefined],
  ])("waits as long as it is told by %s", async (_what, trouble, retryAfterSeconds) => {
    const failure = await failWith(provider, trouble);
    expect(failure).toMatchObject({ rejected: false, code: "IVY_RATE_LIMITED", retryAfterSeconds });
  });

  it.each([500, 502, 503, 408])("may pass if the status is %i", async (status) => {
    expect(await failWith(provider, { status })).toMatchObject({ rejected: false, code: "IVY_HOST_TROUBLE" });
  });

  it.each([401, 403])(
    "is for good if the status is %i, and the error does not tell the token",
    async (status) => {
      const failure = await failWith(provider, { status });
      expect(failure).toMatchObject({ rejected: true, code: "IVY_ACCESS_DENIED" });
      expect(failure.message).toContain("updater.access_token is wrong");
      expect(failure.message).not.toContain(TOKEN);
    },
  );

  it("may pass if a login page comes with status 200", async () => {
    const failure = await failWith(provider, LOGIN_PAGE);
    expect(failure).toMatchObject({ rejected: false, code: "IVY_NOT_AN_ARCHIVE" });
    expect(failure.message).toContain("text/html");
  });

  it("may pass if a login page comes in the place of an answer of the API", async () => {
    await using host = await startHost();
    host.server.trouble = () => LOGIN_PAGE;
    const attempt = downloadSourceCode({ ...host.options({ provider }), commit: host.release.commit });
    expect(await failureOf(attempt)).toMatchObject({ rejected: false, code: "IVY_ANSWER_UNREADABLE" });
  });

  it("may pass if hardly anything comes, or nothing", async () => {
    await using host = await startHost();
    const limits = { stallMs: 400 };
    for (const trouble of [{ bytesPerSecond: 10 }, { delayMs: 60_000 }]) {
      host.server.trouble = () => trouble;
      const failure = await failureOf(downloadSourceCode({ ...host.options({ provider }), limits }));
      expect(failure).toMatchObject({ rejected: false, code: "IVY_STALLED" });
    }
  });

  it("may pass if a download takes too long, and goes on from there", async () => {
    await using host = await startHost({ files: { noise: randomBytes(500) } });
    host.server.trouble = () => ({ bytesPerSecond: 200 });
    const limits = { totalMs: 3_000 };
    const failure = await failureOf(downloadSourceCode({ ...host.options({ provider }), limits }));
    expect(failure).toMatchObject({ rejected: false, code: "IVY_TOO_SLOW" });
    host.server.trouble = () => undefined;
    expect((await downloadSourceCode(host.options({ provider }))).treeId).toBe(host.release.tree);
    expect(host.server.requests.at(-1)?.range).toMatch(/^bytes=[1-9]/);
  });

  it("is for good if more comes than a release may have, told before or without an end", async () => {
    await using host = await startHost({
      files: { noise: randomBytes(300_000) },
    });
    const limits = { archiveBytes: 100_000 };
    for (const trouble of [undefined, { endless: true }]) {
      host.server.trouble = () => trouble;
      const failure = await failureOf(downloadSourceCode({ ...host.options({ provider }), limits }));
      expect(failure).toMatchObject({ rejected: true, code: "IVY_ARCHIVE_TOO_LARGE" });
    }
  });

  it("ends at once when the change is given up", async () => {
    await using host = await startHost();
    const abort = new AbortController();
    host.server.trouble = () => ({ delayMs: 600_000 });
    const attempt = downloadSourceCode({ ...host.options({ provider }), signal: abort.signal });
    await vi.waitFor(() => expect(host.server.requests).toHaveLength(1), 20_000);
    abort.abort(new Error("another configuration has come"));
    await expect(attempt).rejects.toThrow("another configuration has come");
  });
});

describe("trouble on the way to a host", () => {
  it("may pass if nobody listens there", async () => {
    await using host = await startHost();
    const failure = await failureOf(downloadSourceCode(host.options({ provider_host: "127.0.0.1:9" })));
    expect(failure).toMatchObject({ rejected: false, code: "IVY_HOST_UNREACHABLE" });
    expect(failure.message).toContain("127.0.0.1:9");
  });

  it("may pass if there is no such name", async () => {
    await using host = await startHost();
    const failure = await failureOf(downloadSourceCode(host.options({ provider_host: "nobody.invalid" })));
    expect(failure).toMatchObject({ rejected: false, code: "IVY_HOST_UNREACHABLE" });
  });

  it("may pass if its certificate does not fit, and the clock is to blame if it has not been set", async () => {
    await using host = await startHost();
    using authority = createTestAuthority();
    await using server = await startReleaseServer({ certificate: authority.issue("stranger") });
    const stranger = host.options({ provider_host: server.host });
    expect(await failureOf(downloadSourceCode(stranger))).toMatchObject({
      rejected: false,
      code: "IVY_TLS_FAILED",
    });
    vi.useFakeTimers({ toFake: ["Date"], now: 0 });
    const early = await failureOf(downloadSourceCode(stranger));
    expect(early).toMatchObject({ rejected: false, code: "IVY_CLOCK_NOT_SET" });
    expect(early.message).toContain("1970");
  });

  it("is for good if a redirect leads to where nothing is encrypted, or in circles", async () => {
    await using host = await startHost({ token: TOKEN });
    const { server } = host;
    for (const location of ["http://example.com/a.tar.gz", `https://${server.host}/api/v3/again`]) {
      server.trouble = () => ({ status: 302, headers: { location } });
      const failure = await failureOf(downloadSourceCode(host.options()));
      expect(failure).toMatchObject({ rejected: true, code: "IVY_BAD_REDIRECT" });
    }
  });

  it("never leaves the token in a file", async () => {
    await using host = await startHost({
      token: TOKEN,
      files: { noise: randomBytes(200_000) },
    });
    host.server.trouble = ({ host: at }) => (at === "storage" ? { cutAfter: 100_000 } : undefined);
    await failureOf(downloadSourceCode(host.options()));
    const files = readdirSync(host.stage);
    expect(files.sort()).toEqual(["artifact.meta", "artifact.part"]);
    for (const file of files) expect(readFileSync(join(host.stage, file), "latin1")).not.toContain(TOKEN);
  });
});
