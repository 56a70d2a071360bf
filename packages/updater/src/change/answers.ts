import type { Logger } from "@ivy/logger";
import type { MessagingAgent } from "@ivy/messaging";
import type { StateInterface } from "@ivy/state";
import { configDigest, type ForeignConfig, type HandledConfig, redact, type State } from "@ivy/types";
import type * as z from "zod/mini";
import type { Candidate } from "./next-step.ts";
import { readConfigFile, removePendingFile } from "./pending-file.ts";

/** How many configurations are remembered as handled; the server repeats only its newest. */
const REMEMBERED = 100;

/** What becomes of a configuration, for good. */
export type Decision = { outcome: "accepted" } | { outcome: "rejected"; reason: string };

export interface AnswersOptions {
  configDir: string;
  schema: z.ZodMiniType;
  state: Pick<StateInterface, "load" | "update">;
  messages: Pick<MessagingAgent, "addMessage" | "loadMessageArchive">;
  logger: Pick<Logger, "info" | "error">;
}

/**
 * Remembers what was decided about configurations, and tells the server.
 *
 * INVARIANTS: a decision is made in one write, which also says that the server is not told yet; it is never made anew.
 * The server is told once: where the power fails before it is known that the answer is stored, the archive tells. That
 * a change has failed that no server has sent as a configuration, the log tells.
 */
export class Answers {
  readonly #options: AnswersOptions;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  async decide(candidate: Candidate, decision: Decision): Promise<void> {
    const { config, digest, file, local = false, assigned = false } = candidate;
    const { configDir, logger, state } = this.#options;
    const revision = config.general.config_revision;
    const origin = assigned ? ", of an assigned package," : local ? ", given at the node," : "";
    const what = `The configuration of revision ${revision}${origin}`;
    if (decision.outcome === "accepted") logger.info(`${what} is in force`);
    else logger.error(`${what} is rejected`, decision.reason);
    // A server knows a revision only, and takes the one in force for failed: the log tells of what it has not sent.
    const isTold = local && decision.outcome === "rejected";
    const untold = { file, since: new Date().toISOString() };
    const handled: HandledConfig = { config_revision: revision, digest, ...decision };
    await state.update((draft) => {
      draft.pending_configs = draft.pending_configs.filter((pending) => pending.digest !== digest);
      remember(draft, isTold ? handled : { ...handled, untold });
      // Whatever change was under way has come to its end.
      delete draft.update;
    });
    if (isTold) removePendingFile(configDir, file);
    else await this.#tell({ ...handled, untold }, () => false);
  }

  /** Tells what a death in between has left untold. */
  async tellUntold(): Promise<void> {
    for (const handled of this.#options.state.load().handled_configs) {
      await this.#tell(handled, (shown) => this.#isStored(handled, shown));
    }
  }

  /** Remembers a configuration as accepted that no server has to be told of. */
  async adopt(config: ForeignConfig): Promise<void> {
    const digest = configDigest(config);
    await this.#options.state.update((draft) => {
      const known = draft.handled_configs.some((handled) => handled.digest === digest);
      const waiting = draft.pending_configs.some((pending) => pending.digest === digest);
      if (known || waiting) return;
      remember(draft, { config_revision: config.general.config_revision, digest, outcome: "accepted" });
    });
  }

  async #tell(handled: HandledConfig, isStored: (shown: ForeignConfig) => boolean): Promise<void> {
    const { untold, digest, outcome, reason, config_revision } = handled;
    if (untold === undefined) return;
    const { configDir, state, messages } = this.#options;
    const shown = this.#shown(untold.file, config_revision);
    if (!isStored(shown)) {
      const why = reason === undefined ? {} : { reason };
      await messages.addMessage({ variant: "config", status: outcome, config: shown, ...why });
    }
    await state.update((draft) => {
      for (const one of draft.handled_configs) if (one.digest === digest) delete one.untold;
    });
    // Only now: as long as the state says that the server is not told, the file shows what it would be told.
    await state.update((draft) => {
      // It may have come again meanwhile.
      if (!draft.pending_configs.some(({ file }) => file === untold.file))
        removePendingFile(configDir, untold.file);
    });
  }

  /**
   * Whether the archive of the days since the decision has the answer: what it holds is sent. What was told before that
   * is the answer to another configuration, which may differ in nothing but a secret.
   */
  #isStored({ outcome, untold }: HandledConfig, shown: ForeignConfig): boolean {
    const since = untold?.since ?? "";
    const days = new Set([since, new Date().toISOString()].map((time) => time.slice(0, 10)));
    const decidedAt = Date.parse(since) / 1_000;
    const wanted = configDigest(shown);
    return [...days].some((day) =>
      this.#options.messages
        .loadMessageArchive(day, { urgentOnly: true })
        .some(
          ({ message_body: body, timestamp }) =>
            timestamp >= decidedAt &&
            body.variant === "config" &&
            body.status === outcome &&
            configDigest(body.config) === wanted,
        ),
    );
  }

  #shown(file: string, config_revision: number): ForeignConfig {
    const { configDir, schema } = this.#options;
    try {
      return redact(readConfigFile(configDir, file), schema);
    } catch {
      return { general: { config_revision, software_version: "0.0.0" } };
    }
  }
}

function remember(draft: State, handled: HandledConfig): void {
  const others = draft.handled_configs.filter(({ digest }) => digest !== handled.digest);
  draft.handled_configs = [...others, handled].slice(-REMEMBERED);
}
