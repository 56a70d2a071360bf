import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { MessagingAgent } from "../src/index.ts";
import { hasMosquitto, startMosquitto } from "../src/testing.ts";
import { temporary } from "../test/support.ts";

const WRITERS = 4;
const KILLS = 20;
const IN_FLIGHT = 50;

function start(fixture: string, ...args: string[]): ChildProcess {
  const file = join(import.meta.dirname, `fixtures/${fixture}.ts`);
  const child = spawn(process.execPath, ["--conditions=@ivy/source", file, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** A writer that is started again, with the next number, whenever it is killed. */
class Writer {
  readonly name: string;
  /** The last message that was acknowledged. */
  stored = -1;
  /** The first number of the present life. */
  #first = 0;
  #child: ChildProcess;
  readonly #dataDir: string;

  constructor(name: string, dataDir: string) {
    this.name = name;
    this.#dataDir = dataDir;
    this.#child = this.#start();
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async restart(): Promise<void> {
    await this.kill();
    // One number is left free: the message that was being added may or may not be stored.
    this.#first = Math.max(this.#first, this.stored + 1) + 1;
    this.#child = this.#start();
  }

  #start(): ChildProcess {
    const child = start("add", this.#dataDir, this.name, String(this.#first));
    // A chunk may end within a line, so it takes a reader of lines.
    if (child.stdout !== null)
      createInterface(child.stdout).on("line", (line) => {
        this.stored = Number(line);
      });
    return child;
  }
}

interface Sent {
  identifier: number;
  data: { writer: string; number: number };
}

describe.skipIf(!hasMosquitto)(
  "writers, forwarder and broker that are killed at random (needs mosquitto)",
  () => {
    it("lose no message that was stored, keep the order of each writer, and repeat only what was in flight", {
      timeout: 120_000,
    }, async () => {
      const dataDir = temporary();
      const broker = await startMosquitto();
      onTestFinished(() => broker[Symbol.asyncDispose]());
      const arrived: Sent[] = [];
      const listener = await connectAsync({
        protocol: "mqtt",
        host: "127.0.0.1",
        port: broker.port,
        clientId: "listener",
        clean: false,
        reconnectPeriod: 20,
      });
      onTestFinished(() => listener.endAsync(true));
      listener.on("error", () => undefined);
      listener.on("message", (_, payload) => arrived.push(...JSON.parse(payload.toString())));
      await listener.subscribeAsync("numbers", { qos: 1 });

      const writers = Array.from({ length: WRITERS }, (_, index) => new Writer(`w${index}`, dataDir));
      const forwarderArgs = ["forward", dataDir, String(broker.port), String(IN_FLIGHT), "5"] as const;
      let forwarder = start(...forwarderArgs);
      for (let kill = 0; kill < KILLS; kill++) {
        // Each life is long enough to get going, and ends at a random point of its work.
        await sleep(Math.random() * 400);
        await writers[kill % WRITERS]?.restart();
        if (kill % 2 === 0) {
          const ended = once(forwarder, "close");
          forwarder.kill("SIGKILL");
          await ended;
          forwarder = start(...forwarderArgs);
        }
        if (kill % 10 === 9) {
          await broker.stop();
          await broker.start();
        }
      }
      for (const writer of writers) {
        await vi.waitFor(() => expect(writer.stored).toBeGreaterThan(0), { timeout: 20_000, interval: 10 });
        await writer.kill();
      }

      const agent = new MessagingAgent({ dataDir });
      onTestFinished(() => agent.teardown());
      await vi.waitFor(() => expect(agent.getNLatestMessages(1)).toEqual([]), {
        timeout: 60_000,
        interval: 50,
      });
      const unique = [...new Map(arrived.map((sent) => [sent.identifier, sent])).values()];
      for (const writer of writers) {
        const numbers = unique
          .filter(({ data }) => data.writer === writer.name)
          .map(({ data }) => data.number);
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        expect(new Set(numbers).size).toBe(numbers.length);
        const missing = gapsOf(numbers, writer.stored);
        // The numbers that were left free at a restart, and no others.
        expect(missing.length).toBeLessThanOrEqual(KILLS / WRITERS + 1);
      }
      const cuts = KILLS / 2 + KILLS / 10;
      expect(arrived.length - unique.length).toBeLessThanOrEqual(cuts * IN_FLIGHT);
    });
  },
);

/** Numbers up to the last stored one that did not arrive. */
function gapsOf(numbers: readonly number[], stored: number): number[] {
  const there = new Set(numbers);
  return Array.from({ length: stored + 1 }, (_, number) => number).filter((number) => !there.has(number));
}
