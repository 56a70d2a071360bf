import type { ChildProcess } from "node:child_process";
import { systemMonotonicMs } from "./clock.ts";
import { strikeOut } from "./describe-end.ts";
import type { LinkReport, ProgressReport, ToParent } from "./ipc.ts";
import { type Patience, ProgressWatch } from "./progress-watch.ts";
import { killGroup } from "./spawn-child.ts";

/** How long a process that makes no progress may take to end before it is killed, in milliseconds. */
const HUNG_MS = 5_000;

/** What a process tells of itself. */
type Tale = Extract<ToParent, { kind: "link" | "progress" | "error" | "health" }>;

export interface LifeOptions {
  /** Names of what runs in it. */
  members: readonly string[];
  /** When it is taken down for want of progress of one of them; never if left out. */
  patience: Patience | undefined;
  secrets: readonly string[];
  /** Told which of them makes no progress, for how many milliseconds now; the process is taken down. */
  hung: (name: string, silentMs: number) => void;
}

/** One of the members: how far its loop is, and what it lacks to be healthy. */
interface Member {
  progress?: ProgressReport;
  lacks?: string | undefined;
  watch: ProgressWatch | undefined;
}

/** One process from its start to its end: what it has told of itself, and whether each of its members makes progress. */
export class Life {
  readonly child: ChildProcess;
  /** In milliseconds on the system's monotonic clock. */
  readonly startedAt = systemMonotonicMs();
  /** It has asked for its settings: from now on it takes the signal for its teardown. */
  isReady = false;
  link: LinkReport | undefined;
  /** What it says it ends for, and because of which member. */
  error: { name: string; text: string } | undefined;
  /** Which member it was taken down for, and how long that had made no progress. */
  hung: { name: string; silentMs: number } | undefined;
  readonly #options: LifeOptions;
  readonly #members: ReadonlyMap<string, Member>;
  #killer: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess, options: LifeOptions) {
    this.child = child;
    this.#options = options;
    const { members, patience } = options;
    const watchFor = (name: string) =>
      patience && new ProgressWatch(patience, (silentMs) => this.#takeDown(name, silentMs));
    this.#members = new Map(members.map((name) => [name, { watch: watchFor(name) }]));
    for (const { watch } of this.#members.values()) watch?.begin();
  }

  /** How long it has run, in milliseconds. */
  get ranMs(): number {
    return systemMonotonicMs() - this.startedAt;
  }

  progressOf(name: string): ProgressReport | undefined {
    return this.#members.get(name)?.progress;
  }

  lacksOf(name: string): string | undefined {
    return this.#members.get(name)?.lacks;
  }

  /** How long one may still be silent before the process is taken down, in milliseconds; `undefined`: for ever. */
  dueInMsOf(name: string): number | undefined {
    return this.#members.get(name)?.watch?.dueInMs;
  }

  note(message: Tale): void {
    if (message.kind === "error") {
      const { name, text } = message;
      // What comes after the first one may be its consequence.
      this.error ??= { name, text };
    } else if (message.kind === "link") {
      const { kind: _, name: __, counts: ___, ...link } = message;
      this.link = link;
    } else if (message.kind === "health") {
      const { name, lacks } = message;
      const member = this.#members.get(name);
      if (member !== undefined) member.lacks = lacks && strikeOut(lacks, this.#options.secrets);
    } else {
      const { kind: _, name, counts: __, error, ...progress } = message;
      const member = this.#members.get(name);
      if (member === undefined) return;
      const shown = error === undefined ? {} : { error: strikeOut(error, this.#options.secrets) };
      member.progress = { ...progress, ...shown };
      member.watch?.progress(progress);
    }
  }

  /** It is to end now, or has ended. */
  unwatch(): void {
    for (const { watch } of this.#members.values()) watch?.end();
    clearTimeout(this.#killer);
  }

  #takeDown(name: string, silentMs: number): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    this.unwatch();
    this.hung = { name, silentMs };
    this.#options.hung(name, silentMs);
    // It may be blocked or stopped; if it can be, it is asked first.
    this.child.kill("SIGTERM");
    this.#killer = setTimeout(() => killGroup(pid), HUNG_MS);
  }
}
