import { UpdateDeferredError, UpdateRejectedError } from "../../errors.ts";
import type { SourceLimits } from "../limits.ts";
import { networkFailure, statusFailure } from "./failures.ts";
import type { PartFile } from "./part-file.ts";
import { get } from "./request.ts";
import { Watchdog } from "./watchdog.ts";

export interface DownloadOptions {
  url: string;
  headers: Record<string, string>;
  credentials: Record<string, string>;
  /** Names what is downloaded, in errors. */
  what: string;
  part: PartFile;
  limits: SourceLimits;
  signal: AbortSignal;
  /** Called with the bytes that are there and, if the host has told, those of the whole. */
  onProgress?: ((bytes: number, total?: number) => void) | undefined;
}

/**
 * Downloads a gzip-compressed archive, going on where an earlier attempt was cut if the host gives the rest of the
 * very same file.
 *
 * @returns false if the host does not have it (404)
 * @throws UpdateDeferredError, UpdateRejectedError, or the reason of the signal
 */
export async function download(options: DownloadOptions): Promise<boolean> {
  const { url: address, credentials, part, limits, what } = options;
  if (part.complete) return true;
  using watchdog = new Watchdog(new URL(address).host, limits, options.signal);
  const headers = { ...options.headers, "accept-encoding": "identity", ...rangeOf(part) };
  const { response, url } = await get(address, { headers, credentials, signal: watchdog.signal });
  try {
    if (response.status === 404) return false;
    const resumed = response.status === 206 && startOf(response) === part.bytes;
    if (response.status === 416 || (response.status === 206 && !resumed)) throw badRange(url, options);
    if (response.status !== 200 && !resumed) {
      const hasToken = Object.keys(credentials).length > 0;
      throw await statusFailure(response, { what, host: url.host, hasToken });
    }
    const total = totalBytes(response, resumed ? part.bytes : 0);
    if (total !== undefined && total > limits.archiveBytes) throw tooLarge(what, limits);
    if (!resumed) part.restart(strongEtag(response));
    await receive({ response, url, watchdog, total }, options);
    if (total !== undefined && part.bytes !== total) throw cutOff(url, part.bytes, total);
    await part.finish();
    return true;
  } finally {
    await response.body?.cancel().catch(() => {});
  }
}

interface Answer {
  response: Response;
  url: URL;
  watchdog: Watchdog;
  total: number | undefined;
}

async function receive(answer: Answer, { what, part, limits, onProgress }: DownloadOptions): Promise<void> {
  const { watchdog, total } = answer;
  try {
    for await (const chunk of chunksOf(answer)) {
      if (part.bytes === 0) expectGzip(chunk, answer, what);
      if (part.bytes + chunk.length > limits.archiveBytes) throw tooLarge(what, limits);
      await part.append(chunk);
      watchdog.feed(chunk.length);
      onProgress?.(part.bytes, total);
    }
  } catch (error) {
    await part.sync();
    throw error;
  }
}

/** Tells what fails on the way from what fails here, where the bytes are written. */
async function* chunksOf({ response, url, watchdog }: Answer): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  for (;;) {
    let chunk: Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]>> | undefined;
    try {
      chunk = await reader?.read();
    } catch (error) {
      watchdog.signal.throwIfAborted();
      throw networkFailure(url, error);
    }
    if (chunk === undefined || chunk.done) break;
    yield chunk.value;
  }
  reader?.releaseLock();
}

function rangeOf({ bytes, etag }: PartFile): Record<string, string> {
  return etag === undefined ? {} : { range: `bytes=${bytes}-`, "if-range": etag };
}

function startOf(response: Response): number {
  return Number(/^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1]);
}

/** A weak one stands for contents that mean the same, not for the same bytes. */
function strongEtag(response: Response): string | null {
  const etag = response.headers.get("etag");
  return etag?.startsWith('"') && isPlain(response) ? etag : null;
}

function totalBytes(response: Response, before: number): number | undefined {
  const length = response.headers.get("content-length");
  return length === null || !isPlain(response) ? undefined : before + Number(length);
}

/** Whether the bytes that come are those of the file: `fetch` decompresses what was compressed for the way. */
function isPlain(response: Response): boolean {
  return (response.headers.get("content-encoding") ?? "identity") === "identity";
}

function expectGzip(chunk: Uint8Array, { response, url }: Answer, what: string): void {
  if (chunk[0] === 0x1f && (chunk.length < 2 || chunk[1] === 0x8b)) return;
  const type = response.headers.get("content-type") ?? "no content type";
  throw new UpdateDeferredError(
    "fetch",
    "IVY_NOT_AN_ARCHIVE",
    `${url.host} sent something else (${type.slice(0, 60)}) than ${what}, which is a gzip-compressed archive: ` +
      "the page of a login or of a network that wants to be signed in to, perhaps",
  );
}

function badRange(url: URL, { part, what }: DownloadOptions): UpdateDeferredError {
  part.restart(null);
  const message = `${url.host} does not give the rest of ${what}; the next attempt begins from its start`;
  return new UpdateDeferredError("fetch", "IVY_RANGE_REFUSED", message);
}

function cutOff(url: URL, bytes: number, total: number): UpdateDeferredError {
  const message = `${url.host} ended after ${bytes} of ${total} bytes; the next attempt goes on from there`;
  return new UpdateDeferredError("fetch", "IVY_CUT_OFF", message);
}

function tooLarge(what: string, { archiveBytes }: SourceLimits): UpdateRejectedError {
  const message = `${what} is larger than the ${archiveBytes} bytes that an archive of a release may have`;
  return new UpdateRejectedError("fetch", "IVY_ARCHIVE_TOO_LARGE", message);
}
