import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** What goes wrong with an answer. */
export interface Trouble {
  /** Answered instead, with these headers and this body. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** The connection is cut after so many bytes of the content. */
  cutAfter?: number;
  /** It is not cut then, but nothing comes any more. */
  hangs?: boolean;
  /** So many bytes come a second. */
  bytesPerSecond?: number;
  /** Nothing comes before so many milliseconds have passed. */
  delayMs?: number;
  /** The whole comes, although only a part of it was asked for. */
  ignoresRange?: boolean;
  /** In the place of the one that stands for the content; `null`: none. */
  etag?: string | null;
  /** Nothing is said about the length, and so it cannot be told where the content has been cut. */
  withoutLength?: boolean;
  /** The content is followed by zeros without an end. */
  endless?: boolean;
}

const CHUNK_BYTES = 16 * 1_024;

/** Answers with a file as storages do: ETag, parts of it on demand, and whatever is to go wrong. */
export async function serveFile(
  request: IncomingMessage,
  response: ServerResponse,
  { content, type, trouble = {} }: { content: Uint8Array; type: string; trouble?: Trouble | undefined },
): Promise<void> {
  const etag = trouble.etag === undefined ? `"${sha256(content)}"` : trouble.etag;
  const start = trouble.ignoresRange ? undefined : startOf(request, etag, content.length);
  if (start !== undefined && start >= content.length) {
    response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    return;
  }
  const body = content.subarray(start ?? 0);
  const headers: Record<string, string | number> = { "content-type": type, "accept-ranges": "bytes" };
  if (etag !== null) headers["etag"] = etag;
  if (!trouble.withoutLength && !trouble.endless) headers["content-length"] = body.length;
  if (start !== undefined)
    headers["content-range"] = `bytes ${start}-${content.length - 1}/${content.length}`;
  response.writeHead(start === undefined ? 200 : 206, headers);
  await sendBody(response, body, trouble);
}

async function sendBody(
  response: ServerResponse,
  body: Uint8Array,
  { cutAfter = Number.POSITIVE_INFINITY, hangs, bytesPerSecond, endless }: Trouble,
): Promise<void> {
  const size = bytesPerSecond === undefined ? CHUNK_BYTES : Math.max(1, Math.ceil(bytesPerSecond / 10));
  const zeros = Buffer.alloc(size);
  for (let at = 0; (at < body.length || endless) && !response.destroyed; ) {
    const chunk = at < body.length ? body.subarray(at, Math.min(at + size, cutAfter)) : zeros;
    at += chunk.length;
    await new Promise((written) => response.write(chunk, written));
    if (bytesPerSecond !== undefined) await sleep(100);
    if (at >= cutAfter) {
      // What has been sent before shall have come.
      if (!hangs) setTimeout(() => response.destroy(), 50);
      return;
    }
  }
  response.end();
}

function startOf({ headers }: IncomingMessage, etag: string | null, length: number): number | undefined {
  const start = /^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1];
  const condition = headers["if-range"];
  if (start === undefined || length === 0 || (condition !== undefined && condition !== etag))
    return undefined;
  return Number(start);
}

function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 32);
}
