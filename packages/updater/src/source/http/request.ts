import { UpdateRejectedError } from "../../errors.ts";
import { networkFailure } from "./failures.ts";

const MAX_REDIRECTS = 5;

export interface GetOptions {
  headers: Record<string, string>;
  /** Goes to the host of the first address only, never to one that a redirect names. */
  credentials: Record<string, string>;
  signal: AbortSignal;
}

/**
 * Asks for an address, follows redirects, and keeps the credentials from any other host.
 *
 * @returns the answer, whatever its status, and the address that gave it
 * @throws UpdateDeferredError if the host cannot be reached; UpdateRejectedError for redirects that must not be
 *   followed; the reason of the signal
 */
export async function get(
  address: string,
  { headers, credentials, signal }: GetOptions,
): Promise<{ response: Response; url: URL }> {
  const { origin } = new URL(address);
  let url = new URL(address);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await ask(url, url.origin === origin ? { ...headers, ...credentials } : headers, signal);
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null) return { response, url };
    await response.body?.cancel();
    url = new URL(location, url);
    if (url.protocol !== "https:")
      throw badRedirect(origin, `to ${url.protocol}//${url.host}, which is not encrypted`);
  }
  throw badRedirect(origin, `more than ${MAX_REDIRECTS} times`);
}

async function ask(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { headers, signal, redirect: "manual", credentials: "omit" });
  } catch (error) {
    signal.throwIfAborted();
    throw networkFailure(url, error);
  }
}

function badRedirect(origin: string, where: string): UpdateRejectedError {
  const message = `${origin} redirects ${where}; see updater.provider_host`;
  return new UpdateRejectedError("fetch", "IVY_BAD_REDIRECT", message);
}
