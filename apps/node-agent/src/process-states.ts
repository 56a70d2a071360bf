import type { Logger } from "@ivy/logger";
import type { StateInterface } from "@ivy/state";
import type { ProcessState } from "@ivy/types";

export interface ProcessStatesOptions {
  /** The processes as they are now, by their names. */
  read: () => Record<string, ProcessState>;
  state: Pick<StateInterface, "update">;
  logger: Pick<Logger, "warning">;
}

/** Keeps the states of the processes in the shared state, for whoever reports them; changes that come together are one write. */
export class ProcessStates {
  readonly #options: ProcessStatesOptions;
  #written = Promise.resolve();
  #due = false;
  /** What stands in the state, as far as it was written from here. */
  #known = "";

  constructor(options: ProcessStatesOptions) {
    this.#options = options;
  }

  changed(): void {
    if (this.#due) return;
    this.#due = true;
    this.#written = this.#written.then(() => this.#write());
  }

  /** Resolves once what has changed so far is written. */
  async settled(): Promise<void> {
    await this.#written;
  }

  async #write(): Promise<void> {
    this.#due = false;
    const { read, state, logger } = this.#options;
    const processes = read();
    // Much of what changes, as the time of the last acknowledgement, does not stand in the state.
    const text = JSON.stringify(processes);
    if (text === this.#known) return;
    try {
      await state.update((draft) => {
        draft.processes = processes;
      });
      this.#known = text;
    } catch (error) {
      logger.warning("The states of the processes cannot be written down", String(error));
    }
  }
}
