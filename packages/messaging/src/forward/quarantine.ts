import type { ConnectionLostError } from "./connection-error.ts";
import type { Refusal } from "./server-protocol.ts";

/** A message that was alone under way at so many closings in a row is set aside. */
const CLOSINGS = 3;
/** A closing later than this after something was sent has nothing to do with it, in milliseconds. */
const SHORTLY_MS = 5_000;
/** Most messages that come under suspicion at a time; a server handles them in order, so it is one of the oldest. */
const MOST_SUSPECTS = 50;

/** What was sent and not acknowledged when a connection ended. */
export interface LeftOver {
  /** Messages, oldest first. */
  identifiers: readonly number[];
  /** Whether something that is no message was under way too. */
  besides: boolean;
  /** Time since something was sent last, in milliseconds. */
  sentAgoMs: number;
  /** The connection has carried other messages. */
  hasCarried: boolean;
}

/** How to send a message. */
export type Caution = "none" | "alone" | "after a while" | "after another";

/**
 * Finds the message that makes the server close the connection, among those that are merely under way when a
 * connection ends.
 *
 * Whatever is under way at a closing by the other side, shortly after something was sent, is suspected, until it is
 * acknowledged. What is suspected is sent alone; after the first closing only once the connection has stood for a while,
 * and after the second only once it has carried another message. So it is condemned only where others get through: a
 * broker that is restarted, a second client that takes the connection over, a server that refuses everything for some
 * time cost no message.
 */
export class Quarantine {
  /** Suspected messages, with how many closings in a row each was alone at. */
  readonly #closings = new Map<number, number>();

  cautionWith(identifier: number): Caution {
    const closings = this.#closings.get(identifier);
    if (closings === undefined) return "none";
    if (closings === 0) return "alone";
    return closings < CLOSINGS - 1 ? "after a while" : "after another";
  }

  acknowledged(identifiers: readonly number[]): void {
    for (const identifier of identifiers) this.#closings.delete(identifier);
  }

  /** What to conclude from a connection's end: a message that is to be set aside, perhaps. */
  connectionLost(
    { byOtherSide }: ConnectionLostError,
    { identifiers, besides, sentAgoMs, hasCarried }: LeftOver,
  ): Refusal | undefined {
    const [oldest] = identifiers;
    if (oldest === undefined || !byOtherSide || sentAgoMs > SHORTLY_MS) {
      // A link that ends by itself is nothing that messages can be judged by.
      this.#closings.clear();
      return undefined;
    }
    for (const identifier of identifiers.slice(0, MOST_SUSPECTS))
      if (!this.#closings.has(identifier)) this.#closings.set(identifier, 0);
    return identifiers.length > 1 || besides ? undefined : this.#judge(oldest, hasCarried);
  }

  #judge(identifier: number, othersPass: boolean): Refusal | undefined {
    const closings = (this.#closings.get(identifier) ?? 0) + 1;
    if (closings < CLOSINGS) this.#closings.set(identifier, closings);
    // Perhaps another of the suspects passes, and shows that this one does not.
    else if (!othersPass) this.#suspectAnew(identifier);
    else {
      this.#closings.delete(identifier);
      const reason =
        `the server closed the connection each of the ${CLOSINGS} times in a row that this message was alone under ` +
        "way, the last time although it had just taken another message";
      return { identifier, reason };
    }
    return undefined;
  }

  #suspectAnew(except: number): void {
    for (const identifier of this.#closings.keys())
      if (identifier !== except) this.#closings.set(identifier, 0);
  }
}
