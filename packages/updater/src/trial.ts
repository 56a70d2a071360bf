import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@ivy/logger";
import { Lag } from "./lag.ts";
import { readGrace, reportGrace } from "./root/trial.ts";

/** How often it is looked whether everything works, in milliseconds: trials are short and rare. */
const LOOK_MS = 500;

/**
 * How late the looks may come on average, in milliseconds: as late as they are apart, so that the event loop is blocked
 * for half of the time. What has to be done within seconds (signals, signs of life, the ends of processes) would no
 * longer be at twice of that, on a machine that has more to do than now.
 */
const LARGEST_LAG_MS = 500;

/** How often it is told what is missing still, in milliseconds. */
const TELL_MS = 30_000;

/** For how long at a time the launcher is told that the trial's time stands still, in seconds: each time is a write to disk. */
const GRACE_SECONDS = 60;

/** The same until it is known whether there is a broker at all, in seconds: a trial may be shorter than the asking. */
const ASKING_SECONDS = 40;

/** How long the network may take to come up before anybody asks whether it is there at all, in milliseconds. */
const PATIENCE_MS = 5_000;

export interface TrialOptions {
  /** Folder of the records of this start. */
  attempt: string;
  /** What does not work yet, in words, the server left aside. */
  missing: () => string[];
  /** The same of what is dear to look at: only asked for once everything else works. */
  missingAtLast: () => string[];
  /** Whether the server takes messages; `true` where there is none. */
  isServed: () => boolean;
  /**
   * Whether the broker of the configuration that was proven last answers: then it is our fault that the server takes
   * nothing. May reject when its signal aborts.
   */
  brokerAnswers: (signal: AbortSignal) => Promise<boolean>;
  /** Told what was missing still when the signal has ended it. */
  unproven: (lacks: readonly string[]) => void;
  logger: Pick<Logger, "info" | "warning">;
  signal: AbortSignal;
}

/**
 * Waits until a generation on trial has proven that it works.
 *
 * The launcher's clock runs meanwhile. It stands still while all works but the connection, and nobody else could
 * connect either: an outage says nothing about a version. What an earlier round of the same attempt has told of that stays.
 *
 * @returns false where the signal has ended it before
 */
export async function proveItself(options: TrialOptions): Promise<boolean> {
  const { missing, isServed, unproven, logger, signal } = options;
  using outage = new Outage(options);
  const lag = new Lag();
  let told = performance.now();
  let lacks: string[] = [];
  while (!signal.aborted) {
    const lookedAt = performance.now();
    lacks = missing();
    const served = isServed();
    outage.note(lacks.length === 0 && !served);
    if (!served) lacks = [...lacks, "the server has not taken a message yet"];
    if (lacks.length === 0) lacks = [...options.missingAtLast(), ...excessOf(lag)];
    if (lacks.length === 0) return true;
    if (performance.now() - told >= TELL_MS) {
      told = performance.now();
      logger.info("The trial goes on", lacks.join("; "));
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    lag.note(performance.now() - lookedAt - LOOK_MS);
  }
  unproven(lacks);
  return false;
}

function excessOf({ meanMs }: Lag): string[] {
  if (meanMs <= LARGEST_LAG_MS) return [];
  return [`the main process comes ${Math.round(meanMs)} ms late to what is to be done`];
}

/** Adds up the time during which nobody could have connected. */
class Outage implements Disposable {
  readonly #options: TrialOptions;
  readonly #ended = new AbortController();
  #since: number | undefined;
  #last = 0;
  /** Whether nobody can connect; `undefined` until somebody has been asked. */
  #isOut: boolean | undefined;
  #asking = false;
  #graceMs: number;
  /** What stands with the launcher, and is not provisional. */
  #told: number;
  #isProvisional = false;

  constructor(options: TrialOptions) {
    this.#options = options;
    // An earlier round of this attempt may have waited already.
    this.#told = readGrace(options.attempt);
    this.#graceMs = this.#told * 1_000;
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }

  /** @param lonely - all works but the connection */
  note(lonely: boolean): void {
    const now = performance.now();
    if (!lonely) {
      this.#since = undefined;
      this.#isOut = undefined;
      this.#takeBack();
      return;
    }
    if (this.#since === undefined) this.#since = this.#last = now;
    if (this.#isOut) this.#graceMs += now - this.#last;
    this.#last = now;
    this.#report();
    if (now - this.#since >= PATIENCE_MS && !this.#asking) void this.#ask();
  }

  async #ask(): Promise<void> {
    const { brokerAnswers, logger, signal } = this.#options;
    const ended = AbortSignal.any([signal, this.#ended.signal]);
    const askedAt = performance.now();
    this.#asking = true;
    try {
      const isOut = !(await brokerAnswers(ended));
      if (!ended.aborted) this.#learn(isOut, askedAt);
    } catch (error) {
      // Once the trial is over nobody wants to know; before that, it stays as it was found last.
      if (!ended.aborted) logger.warning("It cannot be found out whether the broker answers", String(error));
    }
    await sleep(PATIENCE_MS, undefined, { signal: ended }).catch(() => undefined);
    this.#asking = false;
  }

  #learn(isOut: boolean, askedAt: number): void {
    if (isOut !== (this.#isOut ?? false))
      this.#options.logger.warning(
        isOut
          ? "The broker answers nobody: the trial waits for it"
          : "The broker answers others: the trial does not wait any longer",
      );
    if (this.#since === undefined) return;
    if (this.#isOut === undefined) {
      // Nobody could connect before it was asked either; and how long the answer took is nobody's fault.
      const from = isOut ? this.#since : Math.max(this.#since, askedAt);
      this.#graceMs += Math.max(0, this.#last - from);
    }
    this.#isOut = isOut;
    if (!isOut) this.#takeBack();
  }

  /** Tells in advance: once for as long as the question may be open, then a minute at a time. */
  #report(): void {
    if (this.#isOut === undefined) {
      if (!this.#isProvisional && this.#seconds + ASKING_SECONDS > this.#told)
        this.#tell(this.#seconds + ASKING_SECONDS, true);
    } else if (this.#isOut && (this.#isProvisional || this.#seconds >= this.#told)) {
      this.#tell(this.#seconds + GRACE_SECONDS, false);
    }
  }

  /** Only what was told while the question was open: after an outage there must be time to connect again. */
  #takeBack(): void {
    if (this.#isProvisional) this.#tell(Math.max(this.#seconds, this.#told), false);
  }

  #tell(seconds: number, isProvisional: boolean): void {
    reportGrace(this.#options.attempt, seconds, isProvisional);
    this.#isProvisional = isProvisional;
    if (!isProvisional) this.#told = seconds;
  }

  get #seconds(): number {
    return Math.ceil(this.#graceMs / 1_000);
  }
}
