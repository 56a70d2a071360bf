import type { Performed } from "./method.ts";

/** How many requests are remembered. */
const REMEMBERED = 100;

/** The server repeats what it has an answer to within this time, if ever. Later the number is a new one. */
const REPEATED_WITHIN_MS = 600_000;

interface Remembered {
  request: string;
  performed: Promise<Performed>;
  /** When the server acknowledged the answer, on the monotonic clock. */
  answeredAt?: number;
}

/** The requests of the life of this process: one that comes again, as after a reconnect, is not performed again. */
export class AnswerMemory {
  readonly #requests = new Map<number, Remembered>();

  /**
   * What a request is answered with: as before, or as it is performed now.
   *
   * @param id - the server's number for it; it counts anew when it is started, so the text must be the same too
   */
  async answer(id: number, request: string, perform: () => Promise<Performed>): Promise<Performed> {
    const known = this.#requests.get(id);
    if (known?.request === request && !isOld(known)) {
      const { answer } = await known.performed;
      return { answer };
    }
    const performed = perform();
    this.#requests.delete(id);
    this.#requests.set(id, { request, performed });
    const [oldest] = this.#requests.keys();
    if (this.#requests.size > REMEMBERED && oldest !== undefined) this.#requests.delete(oldest);
    return await performed;
  }

  acknowledged(id: number): void {
    const known = this.#requests.get(id);
    if (known !== undefined) known.answeredAt = performance.now();
  }
}

function isOld({ answeredAt }: Remembered): boolean {
  return answeredAt !== undefined && performance.now() - answeredAt > REPEATED_WITHIN_MS;
}
