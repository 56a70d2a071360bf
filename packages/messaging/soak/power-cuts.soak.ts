// Cuts the power 10,000 times: ten recordings of a store at work, each cut at a thousand places.
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { hasMosquitto, startMosquitto } from "@ivy/messaging/testing";
import { hasCompiler, type Recorded } from "@ivy/tooling/file-faults";
import { describeFindings, type Finding } from "../integration/power-cut/cut-many.ts";
import { recordStore, type StoreUse } from "../integration/power-cut/record-store.ts";

const RECORDINGS = 10;

const { values } = parseArgs({ options: { scale: { type: "string", default: "1" } } });
const cutsEach = Math.ceil(1_000 * Number(values.scale));

if (!hasCompiler) {
  console.log("power cuts: left out, for they need a C compiler (apt-get install gcc libc6-dev)");
  process.exit(0);
}
await using broker = hasMosquitto ? await startMosquitto() : undefined;
let withProblems = 0;
let seconds = 0;
for (let index = 0; index < RECORDINGS; index++) {
  const recorded = await recordStore(useFor(index));
  const begin = performance.now();
  const findings = await cutInParallel(recorded, 1 + index * cutsEach);
  const took = (performance.now() - begin) / 1_000;
  seconds += took;
  withProblems += findings.length;
  if (findings.length > 0) console.log(describeFindings(recorded, findings));
  const rate = (cutsEach / took).toFixed(0);
  console.log(
    `recording ${index + 1} of ${RECORDINGS}: ${recorded.recording.length} calls, ${rate} cuts a second`,
  );
}
const cuts = RECORDINGS * cutsEach;
console.log(`power cuts: ${cuts}, ${(cuts / seconds).toFixed(0)} a second; with problems: ${withProblems}`);
process.exitCode = withProblems === 0 ? 0 : 1;

/** All classes beside a reader; nothing but windows beside a forwarder; all classes beside that; and so on. */
function useFor(index: number): StoreUse {
  const forwarder = broker === undefined ? {} : { broker: broker.port };
  const all = ["sync", "window", "window", "fast", "sync", "sync"] as const;
  const uses: StoreUse[] = [
    { writers: 4, messages: 25, classes: all },
    { writers: 4, messages: 25, classes: ["window", "fast"], ...forwarder },
    { writers: 4, messages: 25, classes: all, ...forwarder },
    { writers: 1, messages: 50, classes: ["window"] },
  ];
  return uses[index % uses.length] as StoreUse;
}

async function cutInParallel({ log }: Recorded, firstSeed: number): Promise<Finding[]> {
  const workers = availableParallelism();
  const share = Math.ceil(cutsEach / workers);
  const parts = Array.from({ length: workers }, async (_, index) => {
    const first = index * share;
    const count = Math.min(share, cutsEach - first);
    const workerData = { log, count, firstSeed: firstSeed + first };
    const [findings] = await once(new Worker(new URL("cut.ts", import.meta.url), { workerData }), "message");
    return findings as Finding[];
  });
  return (await Promise.all(parts)).flat();
}
