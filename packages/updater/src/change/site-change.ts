import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Logger } from "@ivy/logger";
import type { MessagingAgent } from "@ivy/messaging";
import type { StateInterface } from "@ivy/state";
import type { UpdaterConfig } from "@ivy/types";
import { secretsOf } from "@ivy/types";
import { UpdateDeferredError, UpdateRejectedError } from "../errors.ts";
import { discard } from "../root/discard.ts";
import { createGeneration, generationName } from "../root/generation.ts";
import { readPointer, updateCliPointer } from "../root/pointers.ts";
import { readVerdict } from "../root/trial.ts";
import { isKept } from "../source/keep-archive.ts";
import { aboutOf, type Candidate, changesVersion, type Running } from "./next-step.ts";
import { prepareInProcess } from "./preparation.ts";
import { describe } from "./reason.ts";
import { retryPauseMs } from "./schedule.ts";
import type { ChangeProgress, Site } from "./site.ts";
import { Waits } from "./waits.ts";

/** How long every process must have been up until a trial can end well, in seconds. */
const UP_SECONDS = { version: 30, config: 10 };

/** How long an agent runs at least before it ends to have a change decided, in milliseconds. */
const UNDECIDED_MS = 300_000;

const DEFAULT_TRIAL_SECONDS = { version: 300, config: 60 };

export interface SiteChangeOptions {
  site: Site;
  /** Name of this system: it decides when in the spread of a fleet it has its turn. */
  system: string;
  updater?: UpdaterConfig | null | undefined;
  state: Pick<StateInterface, "update">;
  messages: Pick<MessagingAgent, "addMessage">;
  logger: Pick<Logger, "info" | "warning">;
}

/** What a change is made with. */
interface Means {
  /** Texts that nobody may be told. */
  secrets: readonly string[];
  signal: AbortSignal;
}

/** Changes of a node in the field: prepared beside what runs, then switched to. The launcher does the rest. */
export class SiteChange {
  readonly waits: Waits;
  readonly #options: SiteChangeOptions;
  #announced: Promise<void> = Promise.resolve();
  #underWay: { candidate: Candidate; superseded: AbortController } | undefined;

  constructor(options: SiteChangeOptions) {
    this.#options = options;
    const { journal } = options.site.paths;
    this.waits = new Waits({ ...options, journal, announce: (progress) => this.#announce(progress) });
  }

  /** The configuration whose version is being prepared. */
  get underWay(): Candidate | undefined {
    return this.#underWay?.candidate;
  }

  /**
   * Whether a change is begun that the launcher could not decide about, for want of room to record a trial: it runs what
   * ran before, and decides when that ends.
   */
  get isUndecided(): boolean {
    const { paths } = this.#options.site;
    return readPointer(paths, "active") !== readPointer(paths, "lastGood");
  }

  /** Whether the launcher could record a trial now; asked for no sooner than some time after the start. */
  canBeDecided(): boolean {
    if (performance.now() < UNDECIDED_MS) return false;
    const probe = join(this.#options.site.paths.trials, ".probe");
    try {
      mkdirSync(probe);
      rmSync(probe, { recursive: true });
      return true;
    } catch {
      return false;
    }
  }

  /** Gives up the preparation that is under way for a configuration that came later. */
  supersede({ digest }: Candidate): void {
    if (this.#underWay !== undefined && this.#underWay.candidate.digest !== digest)
      this.#underWay.superseded.abort();
  }

  /** Why it was left, if the launcher has left it: it must not be switched to again. */
  failureOf({ config }: Candidate, running: Running): UpdateRejectedError | undefined {
    const version = versionOf(config, running);
    const verdict = readVerdict(this.#options.site.paths, generationName({ config, version }));
    if (verdict === undefined) return undefined;
    const { reason, attempts, lastExit, logTail } = verdict;
    return new UpdateRejectedError(
      "trial",
      "IVY_TRIAL_FAILED",
      `version ${version} with this configuration has not proven in its trial that it works (${reason}; attempts: ${attempts}; last exit: ${lastExit}), so what ran before runs again`,
      logTail === "" ? {} : { output: logTail },
    );
  }

  /**
   * Prepares a change and switches to it.
   *
   * @returns `leave` once switched; `next` where another configuration is to be looked at; `nothing` where it waits
   * @throws UpdateRejectedError where it will never work
   */
  async perform(candidate: Candidate, running: Running, means: Means): Promise<"leave" | "next" | "nothing"> {
    if (changesVersion(running, candidate.config)) {
      if (this.waits.mustWait(candidate)) return "nothing";
      const prepared = await this.#prepare(candidate, means);
      if (prepared !== "ready") return prepared;
    }
    await this.#switch(candidate, running);
    return "leave";
  }

  /** Clears up after a change that has been decided about. */
  forget({ digest, archive }: Candidate): void {
    const { paths } = this.#options.site;
    this.waits.forget({ digest });
    // The path comes from the state file: only what lies in the inbox is ours to remove.
    if (archive !== undefined && isKept(paths, archive))
      rmSync(dirname(archive), { recursive: true, force: true });
  }

  async #prepare(candidate: Candidate, { secrets, signal }: Means): Promise<"ready" | "next" | "nothing"> {
    const superseded = new AbortController();
    this.#underWay = { candidate, superseded };
    const { revision, version } = aboutOf(candidate.config);
    try {
      await prepareInProcess(this.#request(candidate, secrets), {
        module: this.#options.site.preparation,
        signal: AbortSignal.any([signal, superseded.signal]),
        onStep: (step, text) => void this.#announce({ revision, version, step, text }),
      });
      return "ready";
    } catch (error) {
      if (superseded.signal.aborted) return "next";
      if (signal.aborted) return "nothing";
      if (!(error instanceof UpdateDeferredError)) throw error;
      this.#defer(candidate, error, secrets);
      return "nothing";
    } finally {
      this.#underWay = undefined;
      // Behind what is decided about it, nothing of it is to be told any more.
      await this.#announced;
    }
  }

  #request({ config, digest, archive }: Candidate, secrets: readonly string[]) {
    const { site, updater } = this.#options;
    const { revision, version } = aboutOf(config);
    const commit = config.general["software_commit"];
    return {
      paths: site.paths,
      version,
      txid: `${revision}-${digest.slice(0, 12)}`,
      config,
      running: site.running,
      secrets: [...secrets, ...secretsOf(updater ?? {})],
      ...(typeof commit === "string" ? { commit } : {}),
      ...(updater ? { updater } : {}),
      ...(archive === undefined ? {} : { archive }),
    };
  }

  #defer(candidate: Candidate, error: UpdateDeferredError, secrets: readonly string[]): void {
    const failures = this.waits.failuresOf(candidate) + 1;
    const pauseMs = Math.max(retryPauseMs(failures), (error.retryAfterSeconds ?? 0) * 1_000);
    const why = describe(error, secrets);
    this.#options.logger.warning(
      `The change to version ${candidate.config.general.software_version} is tried again in ${Math.ceil(pauseMs / 1_000)} s`,
      why,
    );
    this.waits.wait(candidate, failures, pauseMs, why);
  }

  async #switch({ config, digest }: Candidate, running: Running): Promise<void> {
    const { site, updater } = this.#options;
    const { paths } = site;
    const kind = changesVersion(running, config) ? "version" : "config";
    const asked = kind === "version" ? updater?.trial_seconds : updater?.config_trial_seconds;
    const seconds = asked ?? DEFAULT_TRIAL_SECONDS[kind];
    const version = versionOf(config, running);
    const generation = createGeneration(paths, {
      config,
      version,
      trialSeconds: seconds,
      upSeconds: Math.min(UP_SECONDS[kind], Math.floor(seconds / 3)),
    });
    const { revision } = aboutOf(config);
    await this.#announce({ revision, version, step: "switch", text: "it is on trial from now on" });
    this.waits.forget({ digest });
    this.#renewAttempts(generation);
    updateCliPointer(paths, generation);
  }

  /** What has proven itself once has all its attempts again when it comes back; what has not keeps their number. */
  #renewAttempts(generation: string): void {
    const { paths } = this.#options.site;
    const trial = join(paths.trials, generation);
    if (!existsSync(join(trial, "proven"))) return;
    for (const name of readdirSync(trial)) if (name.startsWith("attempt-")) discard(paths, join(trial, name));
  }

  /** Tells how far a change is, one thing after the other: what is told last holds. */
  #announce(progress: ChangeProgress): Promise<void> {
    this.#announced = this.#announced.then(() => this.#tell(progress));
    return this.#announced;
  }

  /** In the log, in the state, and to the server. */
  async #tell(progress: ChangeProgress): Promise<void> {
    const { logger, state, messages } = this.#options;
    const { revision, version, step, text } = progress;
    const subject = `Change to revision ${revision}, version ${version}: ${step}`;
    logger.info(subject, text);
    try {
      await messages.addMessage({ variant: "log", level: "INFO", subject, body: text });
      await state.update((draft) => {
        draft.update = { ...progress, since: new Date().toISOString() };
      });
    } catch (error) {
      // Whether somebody is told must not decide about the change.
      logger.warning("The progress of the change cannot be told", String(error));
    }
  }
}

/** The version that a configuration runs with. */
function versionOf(config: Candidate["config"], running: Running): string {
  return changesVersion(running, config) ? config.general.software_version : running.version;
}
