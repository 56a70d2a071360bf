import { backOff } from "./back-off.ts";
import { ConnectionLostError, isRefusal } from "./connection-error.ts";
import type { ForwarderLog } from "./forwarder-log.ts";
import { Once } from "./once.ts";
import type { Failure } from "./one-connection.ts";

/** A connection that has stood this long is a good one, in milliseconds. */
const GOOD_MS = 60_000;
/** One that has carried messages and ends when nothing is under way, for no reason to be seen, has to stand this long. */
const CARRIED_MS = 5_000;
/** So many closings in a row that nothing explains make another client probable. */
const UNEXPLAINED_CLOSINGS = 3;

/** Decides how long to wait after a failure, and tells of it: once, until there has been a good connection again. */
export class Reconnecting {
  readonly #logger: ForwarderLog;
  readonly #clientId: string;
  readonly #told = new Once();
  #failures = 0;
  #unexplained = 0;

  constructor(logger: ForwarderLog, clientId: string) {
    this.#logger = logger;
    this.#clientId = clientId;
  }

  /** Milliseconds until the next attempt. */
  pauseAfter({ error, connection }: Failure): number {
    const good = connection !== undefined && isGood(connection);
    if (good) this.#told.forget();
    this.#failures = good ? 1 : this.#failures + 1;
    const pause = backOff(this.#failures, isRefusal(error));
    this.#tell(error, pause);
    this.#lookForAnotherClient(error, connection);
    return pause;
  }

  #tell(error: Error, pauseMs: number): void {
    const code = "code" in error ? `${error.code}; ` : "";
    const details = `${code}next attempt in ${(pauseMs / 1_000).toFixed(1)} s`;
    if (this.#told.isNew(error.message)) this.#logger.warning(error.message, details);
    else this.#logger.debug(error.message, details);
  }

  /** MQTT 3.1.1 has no word for it: the broker just closes the older of two connections under one name. */
  #lookForAnotherClient(error: Error, connection: Failure["connection"]): void {
    if (connection === undefined) return;
    const closed = error instanceof ConnectionLostError && error.byOtherSide;
    this.#unexplained =
      closed && !connection.wasBusy && connection.stoodMs < GOOD_MS ? this.#unexplained + 1 : 0;
    if (this.#unexplained < UNEXPLAINED_CLOSINGS) return;
    const hint =
      `The broker closes every connection soon: probably another client uses the client id ${this.#clientId} too, ` +
      "and each ends the other's connection. Give every client a name of its own";
    if (this.#told.isNew(hint)) this.#logger.warning(hint);
  }
}

function isGood({ stoodMs, hasCarried, wasBusy }: NonNullable<Failure["connection"]>): boolean {
  return stoodMs >= GOOD_MS || (hasCarried && (wasBusy || stoodMs >= CARRIED_MS));
}
