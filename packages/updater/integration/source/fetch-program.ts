// Fetches a version in a process of its own: what to fetch comes on its standard input, what became of it goes out.
import { text } from "node:stream/consumers";
import { fetchSource } from "../../src/source/fetch-source.ts";

const options = JSON.parse(await text(process.stdin));
const outcome = await fetchSource({ ...options, signal: AbortSignal.timeout(50_000) }).catch(
  ({ name, code, message }) => ({ name, code, message }),
);
process.stdout.write(JSON.stringify({ ...outcome, peakKilobytes: process.resourceUsage().maxRSS }));
