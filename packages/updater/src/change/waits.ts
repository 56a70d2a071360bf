import type { MaintenanceWindowConfig, UpdaterConfig } from "@ivy/types";
import { bootTime } from "./boot-clock.ts";
import { clearJournal, type JournalEntry, readJournal, writeJournal } from "./journal.ts";
import { aboutOf, type Candidate, changesVersion, type Running } from "./next-step.ts";
import { isInWindow, spreadMs } from "./schedule.ts";
import type { ChangeProgress } from "./site.ts";
import { beginWait, progressOf, remainderOf } from "./wait.ts";

export interface WaitsOptions {
  /** Path of the journal, which outlives the process. */
  journal: string;
  /** Name of this system: it decides when in the spread of a fleet it has its turn. */
  system: string;
  updater?: UpdaterConfig | null | undefined;
  announce: (progress: ChangeProgress) => Promise<void>;
}

/** What changes of the version wait for: their turn in the fleet, the maintenance window, the pause after a failure. */
export class Waits {
  readonly #options: WaitsOptions;

  constructor(options: WaitsOptions) {
    this.#options = options;
  }

  /** Whether it would have to wait if it were its turn to be looked at. */
  wouldWait(candidate: Candidate, running: Running): boolean {
    if (!changesVersion(running, candidate.config)) return false;
    const entry = this.#entryOf(candidate);
    const spread = isHurried(candidate) ? 0 : (this.#options.updater?.spread_seconds ?? 0);
    if (entry === undefined ? spread > 0 : remainderOf(entry.notBefore, bootTime()) > 0) return true;
    return this.#closedWindow(candidate) !== undefined;
  }

  /**
   * Whether its time has not come yet; the first time, its turn in the spread of the fleet is drawn. Whoever is at the
   * node waits for neither turn nor window.
   */
  mustWait(candidate: Candidate): boolean {
    const { system, updater } = this.#options;
    if (!isHurried(candidate) && this.#entryOf(candidate) === undefined) {
      const pause = spreadMs(system, candidate.config.general.config_revision, updater?.spread_seconds ?? 0);
      this.wait(candidate, 0, pause, `its turn among all systems, in ${Math.ceil(pause / 1_000)} s`);
    }
    if (this.#remainderOf(candidate) > 0) return true;
    const window = this.#closedWindow(candidate);
    if (window === undefined) return false;
    this.#waitForWindow(candidate, `the maintenance window from ${window.from} to ${window.to}, local time`);
    return true;
  }

  /** The maintenance window that it has to wait for. */
  #closedWindow(candidate: Candidate): MaintenanceWindowConfig | undefined {
    const window = isHurried(candidate) ? undefined : this.#options.updater?.maintenance_window;
    return window === undefined || isInWindow(window, new Date()) ? undefined : window;
  }

  /** What remains of its turn, or of the pause after a failure, in milliseconds. */
  #remainderOf(candidate: Candidate): number {
    const entry = this.#entryOf(candidate);
    if (entry === undefined) return 0;
    const now = bootTime();
    const notBefore = progressOf(entry.notBefore, now) ?? entry.notBefore;
    if (notBefore !== entry.notBefore) writeJournal(this.#options.journal, { ...entry, notBefore });
    return remainderOf(notBefore, now);
  }

  /** Tells of it once: it is looked at again and again until the window opens. */
  #waitForWindow(candidate: Candidate, reason: string): void {
    const entry = this.#entryOf(candidate);
    if (entry === undefined || entry.reason === reason) return;
    writeJournal(this.#options.journal, { ...entry, reason });
    const { revision, version } = entry;
    void this.#options.announce({ revision, version, step: "wait", text: reason });
  }

  /** How often a change has failed for now. */
  failuresOf(candidate: Candidate): number {
    return this.#entryOf(candidate)?.failures ?? 0;
  }

  #entryOf({ digest }: Candidate): JournalEntry | undefined {
    return readJournal(this.#options.journal).find((entry) => entry.digest === digest);
  }

  /** Has a change wait, and tells why. */
  wait({ digest, config }: Candidate, failures: number, pauseMs: number, reason: string): void {
    const { revision, version } = aboutOf(config);
    const notBefore = beginWait(pauseMs, bootTime());
    const entry: JournalEntry = { digest, revision, version, failures, notBefore, reason };
    writeJournal(this.#options.journal, entry);
    if (pauseMs > 0) void this.#options.announce({ revision, version, step: "wait", text: reason });
  }

  forget({ digest }: Pick<Candidate, "digest">): void {
    clearJournal(this.#options.journal, digest);
  }
}

/** Whoever is at the node shall not wait for what spares the server. */
function isHurried({ local = false, assigned = false }: Candidate): boolean {
  return local && !assigned;
}
