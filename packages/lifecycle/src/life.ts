import type { ChildProcess } from "node:child_process";
import { systemMonotonicMs } from "./clock.ts";
import { strikeOut } from "./describe-end.ts";
import type { LinkReport, ProgressReport, ToParent } from "./ipc.ts";
import { type Patience, ProgressWatch } from "./progress-watch.ts";
import { killGroup } from "./spawn-child.ts";

/** How long a process that makes no progress may take to end before it is killed, in milliseconds. */
const HUNG_MS = 5_000;

/** What a process tells of itself. */
type Tale = Extract<ToParent, { kind: "link" | "progress" | "error" }>;

export interface LifeOptions {
  /** When it is taken down for want of progress; never if left out. */
  patience: Patience | undefined;
  secrets: readonly string[];
  /** Told that it makes no progress, for how many milliseconds now; it is taken down. */
  hung: (silentMs: number) => void;
}

/** One process from its start to its end: what it has told of itself, and whether it makes progress. */
export class Life {
  readonly child: ChildProcess;
  /** In milliseconds on the system's monotonic clock. */
  readonly startedAt = systemMonotonicMs();
  link: LinkReport | undefined;
  progress: ProgressReport | undefined;
  /** What it says it ends for. */
  error: string | undefined;
  /** How long it had made no progress when it was taken down for that. */
  hungMs: number | undefined;
  readonly #options: LifeOptions;
  readonly #watch: ProgressWatch | undefined;
  #killer: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess, options: LifeOptions) {
    this.child = child;
    this.#options = options;
    const { patience } = options;
    this.#watch = patience && new ProgressWatch(patience, (silentMs) => this.#takeDown(silentMs));
    this.#watch?.begin();
  }

  /** How long it has run, in milliseconds. */
  get ranMs(): number {
    return systemMonotonicMs() - this.startedAt;
  }

  /** How long it may still be silent before it is taken down, in milliseconds; `undefined`: for ever. */
  get dueInMs(): number | undefined {
    return this.#watch?.dueInMs;
  }

  note(message: Tale): void {
    if (message.kind === "error") {
      this.error = message.text;
    } else if (message.kind === "link") {
      const { kind: _, counts: __, ...link } = message;
      this.link = link;
    } else {
      const { kind: _, counts: __, error, ...progress } = message;
      const shown = error === undefined ? {} : { error: strikeOut(error, this.#options.secrets) };
      this.progress = { ...progress, ...shown };
      this.#watch?.progress(progress);
    }
  }

  /** It is to end now, or has ended. */
  unwatch(): void {
    this.#watch?.end();
    clearTimeout(this.#killer);
  }

  #takeDown(silentMs: number): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    this.hungMs = silentMs;
    this.#options.hung(silentMs);
    // It may be blocked or stopped; if it can be, it is asked first.
    this.child.kill("SIGTERM");
    this.#killer = setTimeout(() => killGroup(pid), HUNG_MS);
  }
}
