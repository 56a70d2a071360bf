// Fetches a version in a process of its own: what to fetch comes on its standard input, what became of it goes out.
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { downloadSourceCode } from "../../src/source/download-source-code.ts";

const options = JSON.parse(await text(process.stdin));
const outcome = await downloadSourceCode({ ...options, signal: AbortSignal.timeout(50_000) }).catch(
  ({ name, code, message }) => ({ name, code, message }),
);
// What getrusage says would be that of the parent, if it was larger when it forked.
const peakKilobytes = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
process.stdout.write(JSON.stringify({ ...outcome, peakKilobytes }));
