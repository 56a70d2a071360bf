import type { Link } from "@ivy/messaging/forwarder";

/** The server has not answered in time. */
export class NoAnswerError extends Error {
  readonly code = "IVY_NO_ANSWER";
  override readonly name = "NoAnswerError";
}

/** A question to the server. */
export interface Question {
  topic: string;
  payload: string;
  /** What the answer will be known by. */
  key: string;
  /** How long the answer may take once the server has acknowledged the question, in milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** Questions to the server over one connection, and their answers. */
export class Questions {
  readonly #link: Link;
  readonly #waiting = new Map<string, (answer: Buffer) => void>();
  #lastId = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /** A number that no other question of this connection has. ThingsBoard takes whole numbers of 32 bits only. */
  nextId(): number {
    this.#lastId++;
    return this.#lastId;
  }

  /**
   * @throws NoAnswerError where the server has not answered in time
   * @throws the reason of the signal, or of the end of the connection
   */
  async ask({ topic, payload, key, timeoutMs, signal }: Question): Promise<Buffer> {
    const answer = Promise.withResolvers<Buffer>();
    const abort = () => answer.reject(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener("abort", abort, { once: true });
    this.#waiting.set(key, answer.resolve);
    // The answer may be here before the acknowledgement of the question, and the abort too.
    answer.promise.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    try {
      await this.#link.publish(topic, payload);
      const late = () =>
        answer.reject(new NoAnswerError(`No answer to ${topic} within ${timeoutMs / 1_000} s`));
      timer = setTimeout(late, timeoutMs);
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      this.#waiting.delete(key);
    }
  }

  /** Takes an answer. One that nobody waits for, or no longer, is passed over. */
  answer(key: string, payload: Buffer): void {
    this.#waiting.get(key)?.(payload);
  }
}
