import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "@ivy/logger";
import type { MessagingAgent } from "@ivy/messaging";
import type { StateInterface } from "@ivy/state";
import {
  ConfigError,
  configDigest,
  dumpConfig,
  type ForeignConfig,
  loadForeignConfigFromString,
  parseConfig,
  secretsOf,
  type UpdaterConfig,
} from "@ivy/types";
import type * as z from "zod/mini";
import { Answers } from "./change/answers.ts";
import {
  type Candidate,
  changesVersion,
  isOfOneOrigin,
  newest,
  nextStep,
  type Running,
  type VerdictOn,
} from "./change/next-step.ts";
import { hasPendingFile, readCandidate, removeOrphans, writePendingFile } from "./change/pending-file.ts";
import { describe } from "./change/reason.ts";
import type { Site } from "./change/site.ts";
import { SiteChange } from "./change/site-change.ts";
import { UpdateRejectedError } from "./errors.ts";
import { readPointer, switchPointer } from "./root/pointers.ts";
import { tidy } from "./root/tidy.ts";

export interface UpdaterOptions<Config> {
  /** The configuration in force. */
  configFile: string;
  /** Folder where configurations wait; that of `configFile` if left out. */
  configDir?: string;
  /** What this version accepts as its configuration. */
  schema: z.ZodMiniType<Config>;
  /** The version of this software. */
  version: string;
  /** Where versions come from; without it only configurations change. */
  updater?: UpdaterConfig | null | undefined;
  /** The node's root; in a checkout there is none, and a configuration that arrives replaces the file. */
  site?: Site | undefined;
  state: Pick<StateInterface, "load" | "update">;
  messages: Pick<MessagingAgent, "addMessage" | "loadMessageArchive">;
  logger: Pick<Logger, "info" | "warning" | "error" | "debug">;
}

/**
 * What a round has led to.
 *
 * - `nothing`: everything stays as it is
 * - `restart`: another configuration has taken the place of the one in force: start the processes again with it
 * - `leave`: another generation is to be started: end this process, the launcher starts that one
 */
export type Outcome = "nothing" | "restart" | "leave";

/**
 * Performs the changes that the configurations ask for which wait in the state.
 *
 * INVARIANTS: what is in force is whole at every instant. The answer `accepted` is given only once the change cannot
 * be lost any more, on a node when it has proven that it works. What was decided is never decided anew.
 */
export class Updater<Config> {
  readonly #options: UpdaterOptions<Config>;
  readonly #configDir: string;
  readonly #answers: Answers;
  readonly #change: SiteChange | undefined;
  /** Files that people know of. */
  readonly #unreadable = new Set<string>();
  #onTrial: boolean;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: UpdaterOptions<Config>) {
    const { configFile, configDir = dirname(configFile), schema, site } = options;
    this.#options = options;
    this.#configDir = configDir;
    this.#onTrial = site?.attempt !== undefined && readPointer(site.paths, "lastGood") !== site.generation;
    this.#answers = new Answers({ ...options, configDir, schema: schema as z.ZodMiniType });
    this.#change =
      site &&
      new SiteChange({ ...options, site, system: systemOf(this.#inForce()), updater: options.updater });
  }

  /**
   * To be called once, before any process can receive a configuration: tells what a death has left untold, remembers
   * the configuration in force as handled, so that its retained copy at the server is not handled again, and clears
   * what a cut-off arrival left.
   */
  async prepare(): Promise<void> {
    await this.#answers.tellUntold();
    if (!this.#onTrial) await this.#answers.adopt(this.#inForce());
    await this.#options.state.update((draft) => {
      // Without its file it has never arrived: once it is not known any more, the server's repetition is taken.
      draft.pending_configs = draft.pending_configs.filter(({ file }) =>
        hasPendingFile(this.#configDir, file),
      );
      const untold = draft.handled_configs.flatMap((handled) => handled.untold?.file ?? []);
      removeOrphans(this.#configDir, [...draft.pending_configs.map(({ file }) => file), ...untold]);
    });
  }

  /**
   * Performs what waits. While a trial runs, everything else waits for its end.
   *
   * @param signal - gives up what is under way; it begins anew next time
   * @throws what reading or writing a file throws (`ENOSPC`, `EROFS`, ...); what is in force then stays
   */
  performUpdate(signal: AbortSignal): Promise<Outcome> {
    return this.#inTurn(() => this.#perform(signal));
  }

  async #perform(signal: AbortSignal): Promise<Outcome> {
    if (this.#onTrial) return "nothing";
    if (this.#change?.isUndecided) return this.#change.canBeDecided() ? "leave" : "nothing";
    await this.#answers.tellUntold();
    const waiting: Candidate[] = [];
    while (!signal.aborted) {
      const knowledge = { verdictOn: this.#verdictOn, waiting };
      const step = nextStep(this.#running(), this.#candidates(), knowledge);
      if (step === undefined) break;
      const { candidate } = step;
      if (step.action === "finish") await this.#accept(candidate);
      else if (step.action === "reject") await this.#reject(candidate, step.reason);
      else {
        const outcome = await this.#apply(candidate, signal);
        if (outcome === "nothing") waiting.push(candidate);
        else if (outcome !== "next") return outcome;
      }
    }
    return "nothing";
  }

  /** Whether the generation that runs has still to prove that it works. */
  get isOnTrial(): boolean {
    return this.#onTrial;
  }

  /** Whether a version is being prepared, which may take hours. */
  get isPreparing(): boolean {
    return this.#change?.underWay !== undefined;
  }

  /**
   * To be called when the state has changed: a newer configuration supersedes one that is being prepared. One of another
   * origin does so only if it can begin now.
   */
  reconsider(): void {
    const change = this.#change;
    const underWay = change?.underWay;
    if (change === undefined || underWay === undefined) return;
    const running = this.#running();
    const rivals = this.#candidates().filter(
      (one) => isOfOneOrigin(one, underWay) || !change.waits.wouldWait(one, running),
    );
    const next = newest(rivals);
    if (next !== undefined) change.supersede(next);
  }

  /** The generation on trial has proven that it works: nothing takes it back any more. */
  commit(): Promise<void> {
    return this.#inTurn(async () => {
      const { site } = this.#options;
      if (site === undefined || !this.#onTrial) return;
      switchPointer(site.paths, "lastGood", site.generation);
      this.#onTrial = false;
      await this.#acceptInForce();
      this.#tidy();
    });
  }

  /** One thing after the other: what one has decided and not told yet, another one would tell too. */
  #inTurn<Result>(perform: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(perform);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #apply(candidate: Candidate, signal: AbortSignal): Promise<Outcome | "next"> {
    const running = this.#running();
    const secrets = this.#secretsOf(candidate, running);
    try {
      if (!changesVersion(running, candidate.config)) this.#mustFit(candidate.config);
      if (this.#change !== undefined)
        return await this.#change.perform(candidate, running, { secrets, signal });
      this.#replaceConfig(candidate);
      return "restart";
    } catch (error) {
      if (!(error instanceof ConfigError) && !(error instanceof UpdateRejectedError)) throw error;
      await this.#reject(candidate, describe(error, secrets));
      return "next";
    }
  }

  readonly #verdictOn: VerdictOn = (candidate, running) => {
    const failure = this.#change?.failureOf(candidate, running);
    return failure && describe(failure, this.#secretsOf(candidate, running));
  };

  #secretsOf(candidate: Candidate, running: Running): string[] {
    const schema = this.#options.schema as z.ZodMiniType;
    return [candidate.config, running.config].flatMap((config) => secretsOf(config, schema));
  }

  #mustFit(config: ForeignConfig): void {
    parseConfig(config, "It", this.#options.schema);
  }

  #replaceConfig({ config }: Candidate): void {
    this.#options.logger.info(
      `Putting the configuration of revision ${config.general.config_revision} in force`,
    );
    dumpConfig(this.#options.configFile, config);
  }

  async #accept(candidate: Candidate): Promise<void> {
    await this.#answers.decide(candidate, { outcome: "accepted" });
    this.#change?.forget(candidate);
  }

  async #reject(candidate: Candidate, reason: string): Promise<void> {
    await this.#answers.decide(candidate, { outcome: "rejected", reason });
    this.#change?.forget(candidate);
    this.#tidy();
  }

  /** To be called when a change has been decided about. */
  #tidy(): void {
    const { site, updater, logger } = this.#options;
    if (site === undefined) return;
    const keptVersions = updater?.kept_versions ?? 1;
    tidy(site.paths, { keptVersions, warn: (text) => logger.warning(`In the root, ${text}`) });
  }

  /** Answers for the configuration in force, also where the state that told of it is lost. */
  async #acceptInForce(): Promise<void> {
    const config = this.#inForce();
    const digest = configDigest(config);
    const { handled_configs } = this.#options.state.load();
    const waiting = this.#candidates().find((candidate) => candidate.digest === digest);
    const known = handled_configs.some((one) => one.digest === digest && one.outcome === "accepted");
    // One that was in force before is decided about anew where it waits again.
    if (known && waiting === undefined) return;
    await this.#accept(
      waiting ?? { config, digest, file: writePendingFile(this.#configDir, config, digest) },
    );
  }

  /** What waits and can be read now; the rest goes on waiting. */
  #candidates(): Candidate[] {
    return this.#options.state.load().pending_configs.flatMap((pending) => {
      try {
        return readCandidate(this.#configDir, pending);
      } catch (error) {
        this.#tellUnreadable(pending.file, error);
        return [];
      }
    });
  }

  #tellUnreadable(file: string, error: unknown): void {
    if (this.#unreadable.has(file)) return;
    this.#unreadable.add(file);
    this.#options.logger.warning(
      `${file} cannot be read now; its configuration goes on waiting`,
      String(error),
    );
  }

  #running(): Running {
    const { version, updater, site } = this.#options;
    const allowDowngrade = updater?.allow_downgrade ?? true;
    const fixed =
      site === undefined ? "cannot change its version by itself: it runs from a checkout" : undefined;
    return { config: this.#inForce(), version, allowDowngrade, ...(fixed === undefined ? {} : { fixed }) };
  }

  #inForce(): ForeignConfig {
    const { configFile } = this.#options;
    return loadForeignConfigFromString(readFileSync(configFile, "utf8"), configFile);
  }
}

function systemOf({ general }: ForeignConfig): string {
  return String(general["system_identifier"] ?? "");
}
