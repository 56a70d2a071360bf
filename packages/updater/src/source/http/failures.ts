import { UpdateDeferredError, UpdateRejectedError } from "../../errors.ts";
import { retryAfterSeconds } from "./retry-after.ts";

/** This software is younger than that: a clock that says otherwise has not been set yet. */
const OLDEST_TIME = Date.UTC(2026, 0, 1);

/** Why there is no answer from a host, or no more of it. */
export function networkFailure(url: URL, error: unknown): UpdateDeferredError {
  const cause = innermost(error);
  const code = "code" in cause ? String(cause.code) : "";
  const host = url.host;
  const options = { cause: error };
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    const [name, why] =
      Date.now() < OLDEST_TIME
        ? [
            "IVY_CLOCK_NOT_SET",
            `the clock of this system says ${new Date().toISOString()}, it has not been set yet`,
          ]
        : ["IVY_TLS_FAILED", "if it has an authority of its own, name its file in NODE_EXTRA_CA_CERTS"];
    const message = `The certificate of ${host} cannot be trusted (${code}: ${cause.message}): ${why}`;
    return new UpdateDeferredError("fetch", name, message, options);
  }
  if (code === "") {
    // Not of the network: the text may show what was to be sent, a token too.
    const message = `${host} cannot be asked (${cause.name})`;
    return new UpdateDeferredError("fetch", "IVY_HOST_UNREACHABLE", message);
  }
  const message = `${host} cannot be reached (${code}: ${cause.message})`;
  return new UpdateDeferredError("fetch", "IVY_HOST_UNREACHABLE", message, options);
}

/** What an answer means that does not bring what was asked for; `what` names it without any secret. */
export async function statusFailure(
  response: Response,
  { what, host, hasToken }: { what: string; host: string; hasToken: boolean },
): Promise<UpdateDeferredError | UpdateRejectedError> {
  const { status, headers } = response;
  const seconds = retryAfterSeconds(headers);
  // GitHub has a second limit, of which sometimes nothing but the text tells.
  const isLimited =
    seconds !== undefined || (status === 403 && /rate limit/i.test(await beginningOf(response)));
  if (status === 429 || (status === 403 && isLimited)) {
    const when = seconds === undefined ? "later" : `after ${seconds} s`;
    return new UpdateDeferredError(
      "fetch",
      "IVY_RATE_LIMITED",
      `${host} has had too many requests (status ${status}) and wants to be asked for ${what} again ${when}` +
        (hasToken ? "" : "; with an updater.access_token it allows more"),
      seconds === undefined ? {} : { retryAfterSeconds: seconds },
    );
  }
  if (status === 401 || status === 403) {
    const advice = hasToken
      ? "updater.access_token is wrong, has expired, or does not cover this repository"
      : "give updater.access_token, if the repository is private";
    const message = `${host} does not let this system read ${what} (status ${status}): ${advice}`;
    return new UpdateRejectedError("fetch", "IVY_ACCESS_DENIED", message);
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 425) {
    const message = `${host} refuses to give ${what} (status ${status}); see updater.provider and updater.repository`;
    return new UpdateRejectedError("fetch", "IVY_REQUEST_REFUSED", message);
  }
  return new UpdateDeferredError(
    "fetch",
    "IVY_HOST_TROUBLE",
    `${host} answered with status ${status} instead of ${what}`,
    seconds === undefined ? {} : { retryAfterSeconds: seconds },
  );
}

function innermost(error: unknown): Error {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof Error ? cause : new Error(String(cause));
}

async function beginningOf({ body }: Response): Promise<string> {
  try {
    for await (const chunk of body ?? []) return Buffer.from(chunk).toString("utf8", 0, 1_024);
  } catch {
    // What the text would have said is only a detail of the failure that is reported.
  }
  return "";
}
