import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MessagingAgent } from "@ivy/messaging";
import { startFaultProxy, startMosquitto } from "@ivy/messaging/testing";
import { startProgram } from "../programs.ts";
import { listenToArrivals } from "./arrivals.ts";
import { missingOf, problemsOf } from "./verdict.ts";
import { KilledWriter } from "./writer.ts";

const WRITERS = 4;
/** Most messages that the forwarder has sent and not yet settled. */
const IN_FLIGHT = 50;
/** Cuts within a packet happen after so many bytes at most. */
const MOST_BYTES_BEFORE_CUT = 5_000;

export interface KillPlan {
  /** SIGKILLs of a writer or the forwarder, at random. */
  kills: number;
  /** The broker is ended with SIGTERM, for it acknowledges before it saves, and started again. */
  brokerRestarts: number;
  linkCuts: number;
  /** Messages that must have been acknowledged before the last of these. */
  messages: number;
  /** How long what is left may take to arrive in the end, in seconds. */
  patienceSeconds: number;
  progress?: (text: string) => void;
}

export interface KillOutcome {
  problems: string[];
  acknowledged: number;
  /** Messages that came more than once, and the most of them over one connection. */
  repeated: number;
  mostRepeated: number;
}

/**
 * Four writers and a forwarder work on one store, and broker, link and they themselves are ended at random. Resolves
 * when everything that was acknowledged has arrived, or patience is at its end.
 */
export async function killAtRandom(plan: KillPlan): Promise<KillOutcome> {
  await using resources = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), "ivy-kill-"));
  resources.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const broker = resources.use(await startMosquitto());
  const link = resources.use(await startFaultProxy(broker.port));
  const arrivals = resources.use(await listenToArrivals(broker.port));
  const writers = Array.from({ length: WRITERS }, (_, index) =>
    resources.use(new KilledWriter(`w${index}`, dataDir)),
  );
  const startForwarder = (life: number) =>
    resources.use(startProgram("kill-forward", [dataDir, link.port, IN_FLIGHT, life]));
  let lives = 0;
  let forwarder = startForwarder(lives++);

  const acknowledged = () => writers.reduce((sum, { stored }) => sum + stored.length, 0);
  const killOne = async () => {
    const victim = writers[Math.floor(Math.random() * (WRITERS + 1))];
    if (victim !== undefined) return await victim.restart();
    await forwarder.kill("SIGKILL");
    forwarder = startForwarder(lives++);
  };
  const restartBroker = async () => {
    await broker.stop();
    await broker.start();
  };
  const cutLink = () => {
    if (Math.random() < 0.5) link.reset();
    else link.cutAfter(Math.ceil(Math.random() * MOST_BYTES_BEFORE_CUT));
  };

  const faults = shuffled([
    ...Array.from({ length: plan.kills }, () => killOne),
    ...Array.from({ length: plan.brokerRestarts }, () => restartBroker),
    ...Array.from({ length: plan.linkCuts }, () => cutLink),
  ]);
  for (const [index, fault] of faults.entries()) {
    // Spread over the messages, not over time: so it is the same on a slow machine.
    while (acknowledged() < (plan.messages * (index + 1)) / faults.length) await sleep(2);
    await sleep(Math.random() * 20);
    await fault();
    plan.progress?.(`${index + 1} of ${faults.length} faults, ${acknowledged()} messages acknowledged`);
  }
  for (const writer of writers) await writer.kill();
  await allArrived();
  await forwarder.kill("SIGTERM");
  const repeats = [...arrivals.repeated.values()];
  return {
    problems: [...problemsOf(writers, arrivals, IN_FLIGHT), ...(await leftOver(dataDir))],
    acknowledged: acknowledged(),
    repeated: repeats.reduce((sum, count) => sum + count, 0),
    mostRepeated: Math.max(0, ...repeats),
  };

  async function allArrived(): Promise<void> {
    const deadline = performance.now() + plan.patienceSeconds * 1_000;
    while (missingOf(writers, arrivals).length > 0 && performance.now() < deadline) await sleep(100);
  }
}

/** In the end the queue must be empty. */
async function leftOver(dataDir: string): Promise<string[]> {
  const agent = new MessagingAgent({ dataDir });
  const left = agent.getNLatestMessages(10);
  const dead = agent.deadLetters(10);
  await agent.teardown();
  return [...left, ...dead].map(({ identifier }) => `${identifier} is left in the queue`);
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
