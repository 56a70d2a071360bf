import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConnectionLostError } from "../src/forward/connection-error.ts";
import { Quarantine } from "../src/forward/quarantine.ts";
import { Selection } from "../src/forward/selection.ts";
import type { Consumer } from "../src/queue/consumer.ts";

const PARALLEL = 10;
const CLOSED = new ConnectionLostError("the broker has closed it", { byOtherSide: true });
const TIMED_OUT = new ConnectionLostError("ETIMEDOUT", { byOtherSide: false });

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

interface Server {
  /** Messages that it closes the connection on. */
  poison: readonly number[];
  /** Connections that it closes on any message, from the first on. */
  refusing?: number;
  /** How many of the last acknowledgements before a closing are lost on their way. */
  lostAcknowledgements?: number;
}

/** What hands out some messages, each once. */
function consumerOf(messages: readonly number[]): Consumer {
  const left = [...messages];
  const take = (limit: number) =>
    left.splice(0, limit).map((identifier) => ({ identifier, record: { id: "", t: 0, m: {} } }));
  return { take } as Partial<Consumer> as Consumer;
}

/** A queue, and the forwarder's choice of what is sent, against a server that answers at once. */
class Simulation {
  readonly #server: Server;
  readonly #queue: number[];
  readonly #quarantine = new Quarantine();
  connections = 0;
  /** As the server got them, whatever was acknowledged. */
  readonly arrived: number[] = [];
  readonly condemned: number[] = [];

  constructor(messages: readonly number[], server: Server) {
    this.#queue = [...messages];
    this.#server = server;
  }

  get left(): readonly number[] {
    return this.#queue;
  }

  add(message: number): void {
    this.#queue.push(message);
  }

  /** Sends what there is over one connection. Tells whether that stands at the end. */
  connect(): boolean {
    this.connections++;
    const selection = new Selection(consumerOf(this.#queue), this.#quarantine, undefined);
    const standing = { stoodMs: 0, idle: true, hasCarried: false };
    for (;;) {
      const messages = selection.next(PARALLEL, standing).map(({ identifier }) => identifier);
      const ended = this.#serve(messages, standing);
      if (ended) return false;
      if (messages.length === 0 && selection.waitMs === undefined) return true;
      if (messages.length === 0) standing.stoodMs += selection.waitMs ?? 0;
    }
  }

  /** Answers to what was sent together; tells whether the connection has ended. */
  #serve(sent: readonly number[], standing: { hasCarried: boolean }): boolean {
    const { poison, refusing = 0, lostAcknowledgements = 0 } = this.#server;
    const bad = this.connections <= refusing ? 0 : sent.findIndex((message) => poison.includes(message));
    const closed = sent.length > 0 && bad !== -1;
    const handled = closed ? sent.slice(0, bad) : sent;
    this.arrived.push(...handled);
    const acknowledged = closed
      ? handled.slice(0, Math.max(0, handled.length - lostAcknowledgements))
      : handled;
    this.#quarantine.acknowledged(acknowledged);
    this.#remove(acknowledged);
    standing.hasCarried ||= acknowledged.length > 0;
    if (!closed) return false;
    const identifiers = sent.slice(acknowledged.length);
    const leftOver = { identifiers, besides: false, sentAgoMs: 1, hasCarried: standing.hasCarried };
    const verdict = this.#quarantine.connectionLost(CLOSED, leftOver);
    if (verdict !== undefined) {
      this.condemned.push(verdict.identifier);
      this.#remove([verdict.identifier]);
    }
    return true;
  }

  #remove(messages: readonly number[]): void {
    for (const message of messages) this.#queue.splice(this.#queue.indexOf(message), 1);
  }
}

describe("the quarantine", () => {
  it("condemns a message after three closings in a row at which it was alone", () => {
    const simulation = new Simulation(upTo(20), { poison: [5] });
    while (!simulation.connect());
    expect(simulation.condemned).toEqual([5]);
    // The first closing found it among others.
    expect(simulation.connections).toBe(1 + 3 + 1);
    expect(simulation.arrived).toEqual(upTo(20).filter((message) => message !== 5));
  });

  it("condemns none while there is no other that gets through", () => {
    const simulation = new Simulation([5], { poison: [5] });
    for (let connection = 0; connection < 20; connection++) expect(simulation.connect()).toBe(false);
    expect(simulation.condemned).toEqual([]);
    simulation.add(6);
    while (!simulation.connect());
    expect([simulation.condemned, simulation.arrived]).toEqual([[5], [6]]);
  });

  it("starts anew when a connection ends by itself", () => {
    const quarantine = new Quarantine();
    const alone = { identifiers: [1], besides: false, sentAgoMs: 1, hasCarried: true };
    const others = [
      () => quarantine.connectionLost(TIMED_OUT, alone),
      () => quarantine.connectionLost(CLOSED, { ...alone, sentAgoMs: 10_000 }),
      () => quarantine.connectionLost(CLOSED, { ...alone, identifiers: [] }),
    ];
    for (const other of others) {
      quarantine.connectionLost(CLOSED, alone);
      quarantine.connectionLost(CLOSED, alone);
      expect(quarantine.cautionWith(1)).toBe("after another");
      expect(other()).toBeUndefined();
      expect(quarantine.cautionWith(1)).toBe("none");
    }
  });

  it("keeps what is suspected alone until it is acknowledged", () => {
    const quarantine = new Quarantine();
    quarantine.connectionLost(CLOSED, {
      identifiers: [2, 3],
      besides: false,
      sentAgoMs: 1,
      hasCarried: true,
    });
    const selection = new Selection(consumerOf([1, 2, 3, 4, 5]), quarantine, undefined);
    const choose = (idle: boolean) =>
      selection.next(PARALLEL, { stoodMs: 0, idle, hasCarried: false }).map(({ identifier }) => identifier);
    expect([choose(true), choose(false), choose(true)]).toEqual([[1], [], [2]]);
    expect([choose(false), choose(true), choose(false)]).toEqual([[], [3], []]);
    expect([choose(true), choose(false)]).toEqual([[4, 5], []]);
  });

  it("does not count a closing at which something else was under way too", () => {
    const quarantine = new Quarantine();
    for (let closing = 0; closing < 5; closing++) {
      const leftOver = { identifiers: [1], besides: true, sentAgoMs: 1, hasCarried: true };
      expect(quarantine.connectionLost(CLOSED, leftOver)).toBeUndefined();
    }
    expect(quarantine.cautionWith(1)).toBe("alone");
  });

  const servers = fc.record({
    poison: fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 30 }),
    refusing: fc.integer({ min: 0, max: 40 }),
    lostAcknowledgements: fc.integer({ min: 0, max: PARALLEL }),
  });

  it("condemns all messages that close the connection and no other, whatever the server does before", () => {
    fc.assert(
      fc.property(servers, (server) => {
        const simulation = new Simulation(upTo(60), server);
        for (let fresh = 61; !simulation.connect() || simulation.left.length > 0; fresh++) {
          simulation.add(fresh);
          expect(simulation.connections).toBeLessThan(1_000);
        }
        expect(simulation.condemned.toSorted(byNumber)).toEqual(server.poison.toSorted(byNumber));
        const expected = upTo(Math.max(60, ...simulation.arrived)).filter(
          (message) => !server.poison.includes(message),
        );
        expect([...new Set(simulation.arrived)].sort(byNumber)).toEqual(expected);
      }),
    );
  });
});

const byNumber = (one: number, other: number) => one - other;
