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
  redact,
  type State,
} from "@ivy/types";
import type * as z from "zod/mini";
import { type Candidate, nextStep, type Step } from "./next-step.ts";
import { readCandidate, removeOrphans, removePendingFile } from "./pending-file.ts";

/** How many configurations are remembered as handled; the server repeats only its newest. */
const REMEMBERED = 100;

export interface UpdaterOptions<Config> {
  /** The configuration in force; replaced when another one takes its place. */
  configFile: string;
  /** What this version accepts as its configuration. */
  schema: z.ZodMiniType<Config>;
  /** The version of this software. */
  version: string;
  state: Pick<StateInterface, "load" | "update">;
  messages: Pick<MessagingAgent, "addMessage">;
  logger: Pick<Logger, "info" | "warning" | "error" | "debug">;
}

/**
 * Performs the configuration changes that wait in the state.
 *
 * INVARIANTS: the file of the configuration in force is whole at every instant. A configuration leaves the state's
 * list in the same write that remembers it as handled, after its answer is on disk; so a power cut repeats the
 * answer at worst, and never the decision.
 */
export class Updater<Config> {
  readonly #options: UpdaterOptions<Config>;
  readonly #configDir: string;

  constructor(options: UpdaterOptions<Config>) {
    this.#options = options;
    this.#configDir = dirname(options.configFile);
  }

  /**
   * To be called once, before any process can receive a configuration: remembers the configuration in force as
   * handled, so that its retained copy at the server is not handled again, and clears what a cut-off arrival left.
   */
  async prepare(): Promise<void> {
    const inForce = this.#inForce();
    const digest = configDigest(inForce);
    const state = await this.#options.state.update((draft) => {
      const known = draft.handled_configs.some((handled) => handled.digest === digest);
      const waiting = draft.pending_configs.some((pending) => pending.digest === digest);
      if (!known && !waiting)
        remember(draft, inForce.general.config_revision, digest, { outcome: "accepted" });
    });
    removeOrphans(this.#configDir, state.pending_configs);
  }

  /**
   * Performs what waits.
   *
   * @returns true as soon as another configuration has taken the place of the one in force: its file is replaced, the
   *   processes are to be started again with it, and then this is to be called once more, which answers `accepted`
   * @throws what reading or replacing a file throws (`ENOSPC`, `EROFS`, ...); the configuration in force then stays
   */
  async performPendingUpdates(): Promise<boolean> {
    for (;;) {
      const { pending_configs } = await this.#options.state.load();
      const candidates = pending_configs.map((pending) => readCandidate(this.#configDir, pending));
      const step = nextStep({ config: this.#inForce(), version: this.#options.version }, candidates);
      if (step === undefined) return false;
      const reason = step.action === "reject" ? step.reason : this.#misfit(step);
      if (step.action === "apply" && reason === undefined) {
        this.#replaceConfig(step.candidate);
        return true;
      }
      await this.#conclude(step.candidate, reason);
    }
  }

  /** Why a configuration that is to be applied does not fit this version, if it does not. */
  #misfit({ action, candidate }: Step): string | undefined {
    if (action !== "apply") return undefined;
    try {
      parseConfig(candidate.config, "It", this.#options.schema);
      return undefined;
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
  }

  #replaceConfig({ config }: Candidate): void {
    this.#options.logger.info(
      `Putting the configuration of revision ${config.general.config_revision} in force`,
    );
    dumpConfig(this.#options.configFile, config);
  }

  /** Answers, then remembers: accepted, or rejected where there is a reason. */
  async #conclude(candidate: Candidate, reason?: string): Promise<void> {
    const { config, digest } = candidate;
    const revision = config.general.config_revision;
    const verdict =
      reason === undefined ? { outcome: "accepted" as const } : { outcome: "rejected" as const, reason };
    if (reason === undefined)
      this.#options.logger.info(`The configuration of revision ${revision} is in force`);
    else this.#options.logger.error(`The configuration of revision ${revision} is rejected`, reason);
    await this.#options.messages.addMessage({
      variant: "config",
      status: verdict.outcome,
      config: redact(config, this.#options.schema as z.ZodMiniType),
      ...(reason === undefined ? {} : { reason }),
    });
    const { pending_configs: before } = await this.#options.state.load();
    await this.#options.state.update((draft) => {
      draft.pending_configs = draft.pending_configs.filter((pending) => pending.digest !== digest);
      remember(draft, revision, digest, verdict);
    });
    for (const pending of before) if (pending.digest === digest) removePendingFile(this.#configDir, pending);
  }

  #inForce(): ForeignConfig {
    const { configFile } = this.#options;
    return loadForeignConfigFromString(readFileSync(configFile, "utf8"), configFile);
  }
}

type Verdict = { outcome: "accepted" } | { outcome: "rejected"; reason: string };

function remember(draft: State, revision: number, digest: string, verdict: Verdict): void {
  const others = draft.handled_configs.filter((handled) => handled.digest !== digest);
  draft.handled_configs = [...others, { config_revision: revision, digest, ...verdict }].slice(-REMEMBERED);
}
