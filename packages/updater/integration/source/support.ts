import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setDefaultCACertificates } from "node:tls";
import { createTestAuthority } from "@ivy/messaging/testing";
import { UpdaterConfig } from "@ivy/types";
import { afterAll } from "vitest";
import type * as z from "zod/mini";
import { UpdateDeferredError, UpdateRejectedError } from "../../src/errors.ts";
import type { DownloadOptions } from "../../src/source/download-source-code.ts";
import { startReleaseServer } from "../../src/testing/release-server.ts";
import { createRepository } from "../../src/testing/repository.ts";

/** In no file, no error, no process list and no address that this is looked for in. */
export const TOKEN = "glpat-canary-7f3a91";
export const REPOSITORY = "field/ivy";

/** What a version consists of. */
export const FILES: Record<string, string> = {
  "package.json": '{ "name": "ivy", "version": "4.5.6" }\n',
  "src/main.ts": "export {};\n",
  "docs/a b/ü.md": "# ü\n",
};

/** Writes files below a folder that is removed with the resource. */
export function makeFolder(files: Record<string, string | Buffer> = {}): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "ivy-source-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** One for all hosts of a file of tests: making it takes longer than most of them. */
let authority: ReturnType<typeof makeAuthority> | undefined;
afterAll(() => authority?.[Symbol.dispose]());

function makeAuthority() {
  const made = createTestAuthority();
  setDefaultCACertificates([readFileSync(made.caFile, "utf8")]);
  return {
    caFile: made.caFile,
    certificate: made.issue("host"),
    [Symbol.dispose]: () => made[Symbol.dispose](),
  };
}

/** A code host with version 4.5.6, and a stage to fetch it into. */
export async function startHost({
  token,
  files = FILES,
}: {
  token?: string;
  files?: Record<string, string | Buffer>;
} = {}) {
  const stack = new AsyncDisposableStack();
  authority ??= makeAuthority();
  const source = stack.use(makeFolder(files));
  const root = stack.use(makeFolder());
  const repository = stack.use(createRepository(join(root.path, `${REPOSITORY}.git`)));
  const server = stack.use(
    await startReleaseServer({
      certificate: authority.certificate,
      gitRoot: root.path,
      ...(token === undefined ? {} : { token }),
    }),
  );
  const stage = stack.use(makeFolder());
  const tagged = repository.release(source.path, "v4.5.6");
  const release = { repository: REPOSITORY, ...tagged, archive: repository.archive(tagged.commit) };
  server.releases.push(release);
  const options = (updater: Partial<z.input<typeof UpdaterConfig>> = {}): DownloadOptions => ({
    updater: UpdaterConfig.parse({
      repository: REPOSITORY,
      provider: "github",
      provider_host: server.host,
      ...(token === undefined ? {} : { access_token: token }),
      ...updater,
    }),
    version: "4.5.6",
    stage: stage.path,
    signal: AbortSignal.timeout(50_000),
  });
  return {
    caFile: authority.caFile,
    server,
    repository,
    release,
    source: source.path,
    stage: stage.path,
    options,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** How an attempt ended that did not succeed, in the words that a person would read. */
export async function failureOf(attempt: Promise<unknown>) {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof UpdateRejectedError || error instanceof UpdateDeferredError) {
      const { name, step, code, message } = error;
      const retryAfterSeconds = error instanceof UpdateDeferredError ? error.retryAfterSeconds : undefined;
      return { rejected: name === "UpdateRejectedError", step, code, message, retryAfterSeconds };
    }
    throw error;
  }
  throw new Error("expected the attempt to fail, and it succeeded");
}
