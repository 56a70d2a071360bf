import { UpdateDeferredError } from "../../errors.ts";
import type { SourceLimits } from "../limits.ts";

/** What must come within the time-out: also a connection that gives a byte now and then has stalled. */
const MIN_BYTES = 4_096;

/** Ends a download that takes too long, or over which nothing much comes any more. */
export class Watchdog implements Disposable {
  readonly #expired = new AbortController();
  readonly #stall: NodeJS.Timeout;
  readonly #total: NodeJS.Timeout;
  #since = 0;
  /** Of the download: aborted by its caller, or from here. */
  readonly signal: AbortSignal;

  constructor(host: string, { stallMs, totalMs }: SourceLimits, signal: AbortSignal) {
    const expire = (code: string, why: string) => () =>
      this.#expired.abort(new UpdateDeferredError("fetch", code, `${host} is too slow: ${why}`));
    const seconds = (ms: number) => `${ms / 1_000} s`;
    this.#stall = setTimeout(
      expire("IVY_STALLED", `less than ${MIN_BYTES} bytes in ${seconds(stallMs)}`),
      stallMs,
    );
    this.#total = setTimeout(expire("IVY_TOO_SLOW", `not done after ${seconds(totalMs)}`), totalMs);
    this.signal = AbortSignal.any([signal, this.#expired.signal]);
  }

  /** To be told of every byte. */
  feed(bytes: number): void {
    this.#since += bytes;
    if (this.#since < MIN_BYTES) return;
    this.#since = 0;
    this.#stall.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#stall);
    clearTimeout(this.#total);
  }
}
