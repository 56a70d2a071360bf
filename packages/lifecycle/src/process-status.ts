import type { LinkReport, ProgressReport } from "./ipc.ts";

/** How a process has ended; the same for a good end and a bad one. */
export interface ProcessEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** It did not end in time, and was killed. */
  forciblyKilled: boolean;
  /** How long it has run, in milliseconds. */
  durationMs: number;
  stderrTail: string;
  /** What it was ended by itself for, if it said so. */
  error?: string;
  /** It made no progress for so long, in milliseconds, and was taken down for it. */
  hungMs?: number;
  /** Which of its members it ended for, where that is known. */
  blamed?: string;
}

/** What is known about a process, as one of its members has it: what is told of a loop is told of that one. */
export interface ProcessStatus {
  state: "running" | "pausing" | "ended";
  pid: number | undefined;
  /** How often it has been started again since it was started. */
  restarts: number;
  lastEnd: ProcessEnd | undefined;
  /** When the process that runs was started, in milliseconds on the system's monotonic clock. */
  startedAt: number | undefined;
  /** What it has last told of its connection; only a backend has one. */
  link: LinkReport | undefined;
  /** What it has last told of its loop; a loop that turns often tells only now and then. */
  progress: ProgressReport | undefined;
  /** What is missing until it works, as it says itself, without secrets; only asked for while the agent is on trial. */
  lacks: string | undefined;
  /** How long it may still make no progress before it is taken down, in milliseconds. */
  dueInMs: number | undefined;
  /** It has died soon after its start again and again, and does not run well yet. */
  crashLoop: boolean;
  /** Why it has last ended by itself, in one line without secrets. */
  lastError: string | undefined;
}
