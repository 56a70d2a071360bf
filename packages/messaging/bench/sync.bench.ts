// Adding in the class that survives a power cut, beside an append and a sync of the same line.
import { fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { MessagingAgent } from "@ivy/messaging";
import { inTurn, printFigure } from "@ivy/tooling/bench";
import { BODY, LINE, temporary } from "./support.ts";

const ROUNDS = 9;
const ADDS = 200;
const CALLERS = 100;
const GROUPS = 20;

using folder = temporary();
const agent = new MessagingAgent({ dataDir: folder.path, durability: "sync" });
const descriptor = openSync(join(folder.path, "raw"), "a");

/** How many a second, where a function does so many. */
async function rateOf(count: number, work: () => Promise<void> | void): Promise<number> {
  const begin = performance.now();
  await work();
  return count / ((performance.now() - begin) / 1_000);
}

const one = await inTurn(
  ROUNDS,
  () =>
    rateOf(ADDS, async () => {
      for (let add = 0; add < ADDS; add++) await agent.addMessage(BODY);
    }),
  () =>
    rateOf(ADDS, () => {
      for (let add = 0; add < ADDS; add++) {
        writeSync(descriptor, LINE);
        fdatasyncSync(descriptor);
      }
    }),
);
printFigure({
  name: "add `sync`, one at a time",
  value: one[0],
  unit: "messages/s",
  beside: { name: "append and fdatasync", value: one[1] },
  goal: { atLeast: 0.9 },
});

const many = await inTurn(
  ROUNDS,
  () =>
    rateOf(CALLERS * GROUPS, async () => {
      for (let group = 0; group < GROUPS; group++)
        await Promise.all(Array.from({ length: CALLERS }, () => agent.addMessage(BODY)));
    }),
  () =>
    rateOf(CALLERS * GROUPS, () => {
      for (let group = 0; group < GROUPS; group++) {
        for (let line = 0; line < CALLERS; line++) writeSync(descriptor, LINE);
        fdatasyncSync(descriptor);
      }
    }),
);
printFigure({
  name: `add \`sync\`, ${CALLERS} callers at once`,
  value: many[0],
  unit: "messages/s",
  beside: { name: `${CALLERS} appends and one fdatasync`, value: many[1] },
  goal: { atLeast: 0.5 },
});
await agent.teardown();
