import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@ivy/logger";
import { describeEnd, strikeOut } from "./describe-end.ts";
import type { Entrypoint, Variant } from "./entrypoint.ts";
import { LifecycleUsageError } from "./errors.ts";
import type {
  AgentRequest,
  LevelChange,
  MessageCounts,
  ProcessSettings,
  TeardownReason,
  ToChild,
  ToParent,
} from "./ipc.ts";
import { Life } from "./life.ts";
import type { ProcessEnd, ProcessStatus } from "./process-status.ts";
import type { Patience } from "./progress-watch.ts";
import { RestartPause } from "./restart-pause.ts";
import { killGroup, spawnChild } from "./spawn-child.ts";
import { keepTail } from "./stderr-tail.ts";

/** How long a procedure may take to end before it is killed. */
export const SECONDS_PER_GRACEFUL_PROCEDURE_TEARDOWN = 30;

/** A process that is still there so long after it was killed is not waited for any longer, in milliseconds. */
const KILLED_MS = 30_000;

/** How long the last words of a process that has ended are waited for, in milliseconds. */
const LAST_WORDS_MS = 500;

export interface LifecycleOptions<Config> {
  /** Handed to the process; validated already. */
  config: Config;
  entrypoint: Entrypoint;
  /** Stands in the log as the origin of what the process says. */
  name: string;
  /** Names of what runs in it, each with a loop and a place in the log of its own; it alone if left out. */
  members?: readonly string[];
  variant: Variant;
  settings: ProcessSettings;
  logger: Pick<Logger, "debug" | "info" | "warning" | "error">;
  /** How long the process may take to end before it is killed; that of procedures if left out. */
  secondsToKill?: number;
  /** When it is started again after a death. */
  restartPause?: RestartPause;
  /** When a process that makes no progress is taken down and started again; never if left out. */
  patience?: Patience;
  /** Whether the agent has yet to prove that it works, asked at each start: then its members tell what they lack. */
  isOnTrial?: () => boolean;
  /** Performs what one of its members, whose name goes along, asks for. */
  onRequest?: (request: AgentRequest, name: string) => void;
  /** Told now and then what a process has done with messages; `life` stands for it, from its start to its end. */
  onCounts?: (counts: MessageCounts, life: object) => void;
  /** Told that the status has changed: by a start, by an end, in its connection. Progress is no change. */
  onChange?: () => void;
}

/** Keeps one process running, from its start to its teardown. */
export class LifecycleManager<Config> {
  readonly #options: LifecycleOptions<Config>;
  readonly #restartPause: RestartPause;
  #life: Life | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Fires when it has run well after a crash loop. */
  #recovery: NodeJS.Timeout | undefined;
  #started = false;
  #verbosity: ProcessSettings["verbosity"];
  #tearingDown = false;
  #forciblyKilled = false;
  #restarts = 0;
  #lastEnd: ProcessEnd | undefined;
  #lastFailure: { text: string; blamed: string | undefined } | undefined;
  #gone: Promise<void> = Promise.resolve();

  /** @throws LifecycleUsageError where the entrypoint does not fit the variant, or its module is not there */
  constructor(options: LifecycleOptions<Config>) {
    const { entrypoint, name, variant } = options;
    if (entrypoint.variant !== variant) {
      throw new LifecycleUsageError(
        `"${name}" shall be a ${variant}, but its entrypoint is one of a ${entrypoint.variant}`,
      );
    }
    if (!existsSync(entrypoint.module)) {
      throw new LifecycleUsageError(`The module of "${name}" is missing: ${entrypoint.module.pathname}`);
    }
    this.#options = options;
    this.#verbosity = options.settings.verbosity;
    this.#restartPause = options.restartPause ?? new RestartPause();
  }

  /**
   * Starts the process, and from then on starts it again whenever it dies. Nobody waits until it is up: what hangs on
   * its way there is the affair of its watch.
   *
   * @throws LifecycleUsageError where it has been started already
   */
  startProcedure(): void {
    if (this.#started) throw new LifecycleUsageError(`"${this.#options.name}" has been started already`);
    this.#started = true;
    this.#start();
  }

  get variant(): Variant {
    return this.#options.variant;
  }

  /** Names of what runs in the process. */
  get members(): readonly string[] {
    return this.#options.members ?? [this.#options.name];
  }

  /** Whether it has been started; it may have died meanwhile and be about to be started again. */
  procedureIsRunning(): boolean {
    return this.#started;
  }

  /**
   * @param member - one of those that run in the process; the first if left out
   * @throws LifecycleUsageError where it has not been started
   */
  checkProcedureStatus(member = this.members[0] as string): ProcessStatus {
    if (!this.#started) throw new LifecycleUsageError(`"${this.#options.name}" has not been started`);
    const life = this.#life;
    return {
      state: life !== undefined ? "running" : this.#timer !== undefined ? "pausing" : "ended",
      pid: life?.child.pid,
      restarts: this.#restarts,
      lastEnd: this.#lastEnd,
      startedAt: life?.startedAt,
      link: life?.link,
      progress: life?.progressOf(member),
      lacks: life?.lacksOf(member),
      // One that is torn down has another time to end in, and is killed then.
      dueInMs: this.#tearingDown ? undefined : life?.dueInMsOf(member),
      crashLoop: this.#isCrashLoop(),
      lastError: this.#lastErrorOf(member),
    };
  }

  /** Changes from which level on a sink of the process gets entries, also when it is started again after a death. */
  setLogLevel({ sink, level }: LevelChange): void {
    this.#verbosity = { ...this.#verbosity, [sink]: level };
    if (this.#life !== undefined) this.#send(this.#life.child, { kind: "log-level", sink, level });
  }

  /**
   * Ends the process: a procedure is sent SIGTERM, a backend the teardown signal. When it has not ended after the time
   * it has for that, its process group is killed. The kernel may not let go of one even then, as long as a device does
   * not answer: that one is left behind.
   *
   * @returns resolves once it is gone, with how it ended; with nothing if it was not running, or is left behind
   */
  async teardown(reason: TeardownReason): Promise<ProcessEnd | undefined> {
    this.#tearingDown = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const child = this.#life?.child;
    this.#life?.unwatch();
    if (child?.pid === undefined) return undefined;
    const { secondsToKill = SECONDS_PER_GRACEFUL_PROCEDURE_TEARDOWN } = this.#options;
    const { pid } = child;
    const left = Promise.withResolvers<undefined>();
    let timer = setTimeout(() => {
      this.#forciblyKilled = true;
      killGroup(pid);
      timer = setTimeout(left.resolve, KILLED_MS, undefined);
    }, secondsToKill * 1_000);
    // A backend that has not come so far as to take the signal of its own has nothing to drain.
    if (this.#options.variant === "procedure" || !this.#life?.isReady) child.kill("SIGTERM");
    else this.#send(child, { kind: "teardown", reason });
    const end = await Promise.race([this.#gone.then(() => this.#lastEnd), left.promise]);
    clearTimeout(timer);
    if (end === undefined) this.#reportLeftBehind(pid);
    return end;
  }

  #start(): void {
    const { entrypoint } = this.#options;
    const startedAt = performance.now();
    let child: ChildProcess;
    try {
      child = spawnChild(entrypoint.module);
    } catch (error) {
      // The machine has no memory left, say.
      this.#ended({ exitCode: null, signal: null, stderrTail: (error as Error).message }, startedAt);
      return;
    }
    // There are no streams where no file could be opened for them.
    const tail = child.stderr ? keepTail(child.stderr) : () => "";
    this.#life = this.#begin(child);
    this.#options.onChange?.();
    const gone = Promise.withResolvers<void>();
    this.#gone = gone.promise;
    child.once("error", (error) => {
      if (child.pid !== undefined) return;
      this.#ended({ exitCode: null, signal: null, stderrTail: error.message }, startedAt);
      gone.resolve();
    });
    child.once("exit", async (exitCode, signal) => {
      // What it has started and left behind would go on with its hardware, and keep the pipe open.
      if (child.pid !== undefined) killGroup(child.pid);
      await Promise.race([once(child, "close"), sleep(LAST_WORDS_MS)]);
      this.#ended({ exitCode, signal, stderrTail: tail() }, startedAt);
      gone.resolve();
    });
    child.on("message", (message: ToParent) => this.#receive(message, child));
  }

  #begin(child: ChildProcess): Life {
    const { name, logger, patience, settings, onChange } = this.#options;
    if (this.#restartPause.isCrashLoop && onChange !== undefined)
      this.#recovery = setTimeout(onChange, this.#restartPause.wellStartedMs);
    const hung = (member: string, silentMs: number) => {
      const seconds = (silentMs / 1_000).toFixed(1);
      const what = member === name ? "it" : `"${name}", in which it runs,`;
      logger.error(
        `"${member}" makes no progress: nothing has come of it for ${seconds} s; ${what} is started again`,
      );
    };
    return new Life(child, { members: this.members, patience, secrets: settings.secrets, hung });
  }

  /** Those that one member has dragged along are told which. */
  #lastErrorOf(member: string): string | undefined {
    const { text, blamed = member } = this.#lastFailure ?? {};
    return text === undefined || blamed === member ? text : `"${blamed}" in the same process: ${text}`;
  }

  #isCrashLoop(): boolean {
    const { isCrashLoop, wellStartedMs } = this.#restartPause;
    return isCrashLoop && (this.#life?.ranMs ?? 0) < wellStartedMs;
  }

  #receive(message: ToParent, child: ChildProcess): void {
    if (message.kind === "ready") {
      if (this.#life !== undefined) this.#life.isReady = true;
      this.#send(child, this.#startMessage());
    } else if (message.kind === "ask") this.#options.onRequest?.(message.request, message.name);
    // What a process that has ended said last is about a connection and a loop that are no more.
    else if (child === this.#life?.child) {
      const wasConnected = this.#life.link?.connected;
      this.#life.note(message);
      // Acknowledgements come all the time.
      if (message.kind === "link" && message.connected !== wasConnected) this.#options.onChange?.();
      if ("counts" in message) this.#options.onCounts?.(message.counts, this.#life);
    }
  }

  #startMessage(): ToChild {
    const { config, name, settings, isOnTrial = () => false } = this.#options;
    const { members } = this;
    const agent = { ...settings.agent, isOnTrial: isOnTrial() };
    const own = { ...settings, agent, verbosity: this.#verbosity };
    return { kind: "start", config, name, members, settings: own };
  }

  #send(child: ChildProcess, message: ToChild): void {
    // A process that is about to die does not take messages any more; its end is handled where it shows.
    if (child.connected) child.send(message, () => undefined);
  }

  #ended(how: Pick<ProcessEnd, "exitCode" | "signal" | "stderrTail">, startedAt: number): void {
    const durationMs = performance.now() - startedAt;
    const { error, hung } = this.#life ?? {};
    const blamed = this.members.find((member) => member === (hung ?? error)?.name);
    clearTimeout(this.#recovery);
    this.#life?.unwatch();
    this.#life = undefined;
    this.#lastEnd = {
      ...how,
      forciblyKilled: this.#forciblyKilled,
      durationMs,
      ...(error === undefined ? {} : { error: error.text }),
      ...(hung === undefined ? {} : { hungMs: hung.silentMs }),
      ...(blamed === undefined ? {} : { blamed }),
    };
    if (this.#tearingDown) this.#reportTeardown(this.#lastEnd);
    else this.#startAgain(this.#lastEnd);
    this.#options.onChange?.();
  }

  #reportTeardown({ forciblyKilled }: ProcessEnd): void {
    const { name, logger } = this.#options;
    if (forciblyKilled) logger.warning(`"${name}" did not end in time and was killed`);
    else logger.debug(`"${name}" has ended`);
  }

  #reportLeftBehind(pid: number): void {
    const { name, logger } = this.#options;
    logger.error(
      `"${name}" (PID ${pid}) has been killed and does not end: it is left behind`,
      "The kernel waits for a device that does not answer, on USB or I2C perhaps; unplug it, or start the machine anew",
    );
  }

  #startAgain(end: ProcessEnd): void {
    const { durationMs, exitCode, signal, stderrTail, blamed, hungMs = 0 } = end;
    const { name, logger } = this.#options;
    // The time in which it hung does not count as time in which it ran well.
    const pauseMs = this.#restartPause.after(durationMs - hungMs);
    this.#lastFailure = { text: strikeOut(describeEnd(end), this.#options.settings.secrets), blamed };
    const how = signal === null ? `with exit code ${exitCode}` : `by ${signal}`;
    logger.error(
      `"${name}" has died ${how} after ${(durationMs / 1_000).toFixed(1)} s, starts again in ${(pauseMs / 1_000).toFixed(1)} s`,
      stderrTail === "" ? undefined : stderrTail,
    );
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#restarts++;
      this.#start();
    }, pauseMs);
  }
}
