import { once } from "node:events";
import type { Durability } from "@ivy/messaging";
import { type Recorded, record } from "@ivy/tooling/file-faults";
import { type Program, startProgram } from "../programs.ts";

/** Midnight comes this long after the programs have begun. */
const MIDNIGHT_AFTER_MS = 500;

export interface StoreUse {
  writers: number;
  /** Messages of each writer. */
  messages: number;
  /** Durability of the messages, in turn. */
  classes: readonly Durability[];
  /** The writers say of messages that are not synced that they are. */
  lie?: boolean;
  /** The port of a broker that the queue is forwarded to; it is read and emptied otherwise. */
  broker?: number;
}

/** Records writers in processes of their own, and a reader or a forwarder, at work on one store. */
export async function recordStore({
  writers,
  messages,
  classes,
  lie = false,
  broker,
}: StoreUse): Promise<Recorded> {
  return await record(async (folder, env) => {
    const claim = lie ? "lie" : "honest";
    const adding = Array.from({ length: writers }, (_, index) =>
      startProgram("power-cut-add", [folder, `w${index}`, messages, classes.join(), claim], env),
    );
    const reading =
      broker === undefined
        ? startProgram("power-cut-read", [folder], env)
        : startProgram("power-cut-forward", [folder, broker], env);
    await using programs = new AsyncDisposableStack();
    for (const program of [...adding, reading]) programs.use(program);
    await beginTogether([...adding, reading]);
    await Promise.all(adding.map(endWell));
    reading.child.kill("SIGTERM");
    await endWell(reading);
  });
}

async function beginTogether(programs: readonly Program[]): Promise<void> {
  await Promise.all(programs.map(({ child }) => once(child.stdout, "data")));
  const midnight = Date.now() + MIDNIGHT_AFTER_MS;
  for (const { child } of programs) child.stdin.end(`${midnight}\n`);
}

async function endWell({ ended, child }: Program): Promise<void> {
  const code = await ended;
  if (code !== 0) throw new Error(`${child.spawnargs.join(" ")} has ended with ${code ?? child.signalCode}`);
}
