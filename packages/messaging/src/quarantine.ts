import type { ConnectionLostError } from "./connection-error.ts";
import type { Refusal } from "./server-protocol.ts";

/** A message that was alone under way at so many closings in a row is set aside. */
const CLOSINGS = 3;
/** A closing later than this after something was sent has nothing to do with it, in milliseconds. */
const SHORTLY_MS = 5_000;
/** Most messages that are suspected at a time; a server handles them in order, so it is one of the oldest. */
const MOST_SUSPECTS = 50;

/** What was sent and not acknowledged when a connection ended. */
export interface LeftOver {
  /** Messages, oldest first. */
  identifiers: readonly number[];
  /** Whether something that is no message was under way too. */
  besides: boolean;
  /** Time since something was sent last, in milliseconds. */
  sentAgoMs: number;
}

/**
 * Finds the messages that make the server close the connection, among all those that are merely under way when a
 * connection ends for some other reason.
 *
 * Whatever is under way at a closing by the other side, shortly after something was sent, is suspected, and sent alone
 * from then on; it is cleared when it is acknowledged. A message that was alone at two closings in a row gets its last
 * chance only on a connection that has carried another message: where the server is restarted, is taken over by a
 * second client, limits the rate or refuses everything, no other gets through either, and none is condemned.
 */
export class Quarantine {
  /** Suspected messages, with how many closings in a row each was alone at. */
  readonly #closings = new Map<number, number>();

  get size(): number {
    return this.#closings.size;
  }

  isSuspected(identifier: number): boolean {
    return this.#closings.has(identifier);
  }

  /** Whether the next closing condemns it, so that another message has to go first. */
  hasLastChance(identifier: number): boolean {
    return this.#closings.get(identifier) === CLOSINGS - 1;
  }

  acknowledged(identifiers: readonly number[]): void {
    if (this.#closings.size === 0) return;
    for (const identifier of identifiers) this.#closings.delete(identifier);
  }

  /** What to conclude from a connection's end: a message that is to be set aside, perhaps. */
  connectionLost(
    { byOtherSide }: ConnectionLostError,
    { identifiers, besides, sentAgoMs }: LeftOver,
  ): Refusal | undefined {
    const [oldest] = identifiers;
    if (oldest === undefined || !byOtherSide || sentAgoMs > SHORTLY_MS) {
      // A link that ends by itself is nothing that messages can be judged by.
      this.#closings.clear();
      return undefined;
    }
    for (const identifier of identifiers.slice(0, MOST_SUSPECTS)) {
      if (!this.#closings.has(identifier)) this.#closings.set(identifier, 0);
    }
    if (identifiers.length > 1 || besides) return undefined;
    const closings = (this.#closings.get(oldest) ?? 0) + 1;
    this.#closings.set(oldest, closings);
    if (closings < CLOSINGS) return undefined;
    this.#closings.delete(oldest);
    const reason =
      `the server closed the connection each of the ${CLOSINGS} times in a row that this message was under way ` +
      "alone, the last time although it had just taken another";
    return { identifier: oldest, reason };
  }
}
