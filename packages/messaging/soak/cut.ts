// A share of the power cuts of one recording, in a thread of its own.
import { parentPort, workerData } from "node:worker_threads";
import { readRecorded } from "@ivy/tooling/file-faults";
import { problemsAfterCut } from "../integration/power-cut/check.ts";
import { cutManyTimes } from "../integration/power-cut/cut-many.ts";

const { log, count, firstSeed } = workerData as { log: Uint8Array; count: number; firstSeed: number };
const recorded = readRecorded(Buffer.from(log.buffer, log.byteOffset, log.length));
parentPort?.postMessage(await cutManyTimes(recorded, { count, firstSeed, check: problemsAfterCut }));
