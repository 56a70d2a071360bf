import type { Clock } from "./for-each-datapoint.ts";

/** What a procedure finds when it looks at itself: `true`, or what is missing, in words; `false` where it has none. */
export type Health = boolean | string;

/** One that is not healthy yet is asked again at least this often, in seconds: trials are short. */
const SECONDS_BETWEEN_QUESTIONS = 5;

export interface InquiryOptions {
  /** Looks; may throw, which tells what is missing too. */
  healthy: () => Health | Promise<Health>;
  /** Told what is missing each time that it is something else, and `undefined` once it is nothing any more. */
  report: (lacks: string | undefined) => void;
  clock: Clock;
  signal: AbortSignal;
}

/** Asks a procedure whether it is healthy, until it has said so once. */
export class Inquiry {
  readonly #options: InquiryOptions;
  #isOver = false;
  #told: string | undefined;

  constructor(options: InquiryOptions) {
    this.#options = options;
  }

  async ask(): Promise<void> {
    if (this.#isOver) return;
    const { healthy, report } = this.#options;
    const lacks = await lacksOf(healthy);
    if (lacks !== this.#told) report(lacks);
    this.#told = lacks;
    this.#isOver = lacks === undefined;
  }

  /** Sleeps, and asks meanwhile; what the answers take comes on top. */
  async sleep(seconds: number): Promise<void> {
    const { clock, signal } = this.#options;
    let left = seconds;
    for (; !this.#isOver && left > SECONDS_BETWEEN_QUESTIONS; left -= SECONDS_BETWEEN_QUESTIONS) {
      await clock.sleep(SECONDS_BETWEEN_QUESTIONS, signal);
      if (signal.aborted) return;
      await this.ask();
    }
    await clock.sleep(left, signal);
  }
}

async function lacksOf(healthy: InquiryOptions["healthy"]): Promise<string | undefined> {
  try {
    const health = await healthy();
    if (health === true) return undefined;
    return health || "it does not say why";
  } catch (error) {
    return String(error);
  }
}
