import { UpdateRejectedError } from "../../errors.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { networkFailure, statusFailure } from "./failures.ts";
import { type GetOptions, get } from "./request.ts";
import { Watchdog } from "./watchdog.ts";

/** Of answers of an API, and of the files beside a release. */
const MAX_BYTES = 2 ** 20;

export interface SmallFileOptions extends GetOptions {
  /** Names what is asked for, in errors. */
  what: string;
  /** Statuses that mean that there is no such thing. */
  missing?: readonly number[];
}

/** Fetches something small into memory; undefined if the host does not have it. */
export async function fetchSmall(
  address: string,
  { what, missing = [404], ...options }: SmallFileOptions,
): Promise<Buffer | undefined> {
  const limits = { ...DEFAULT_LIMITS, totalMs: 2 * DEFAULT_LIMITS.stallMs };
  using watchdog = new Watchdog(new URL(address).host, limits, options.signal);
  const { response, url } = await get(address, { ...options, signal: watchdog.signal });
  try {
    if (missing.includes(response.status)) return undefined;
    const hasToken = Object.keys(options.credentials).length > 0;
    if (response.status !== 200) throw await statusFailure(response, { what, host: url.host, hasToken });
    return await readAll(response, url, { what, signal: watchdog.signal });
  } finally {
    await response.body?.cancel().catch(() => {});
  }
}

async function readAll(
  response: Response,
  url: URL,
  { what, signal }: { what: string; signal: AbortSignal },
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw networkFailure(url, error);
  }
  if (bytes <= MAX_BYTES) return Buffer.concat(chunks);
  const message = `${url.host} sent more than ${MAX_BYTES} bytes for ${what}`;
  throw new UpdateRejectedError("fetch", "IVY_ANSWER_TOO_LARGE", message);
}
