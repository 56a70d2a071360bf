// Kills 4 writers and the forwarder 200 times, restarts the broker and cuts the link, over 100,000 messages.
import { parseArgs } from "node:util";
import { hasMosquitto } from "@ivy/messaging/testing";
import { killAtRandom } from "../integration/kill/kill-at-random.ts";

const PROGRESS_EACH = 20;

const { values } = parseArgs({ options: { scale: { type: "string", default: "1" } } });
const scaled = (count: number) => Math.ceil(count * Number(values.scale));

if (!hasMosquitto) {
  console.log("kills: left out, for they need mosquitto (apt-get install mosquitto)");
  process.exit(0);
}
let reports = 0;
const kills = scaled(200);
const { problems, acknowledged, repeated, mostRepeated } = await killAtRandom({
  kills,
  brokerRestarts: scaled(20),
  linkCuts: scaled(40),
  messages: scaled(100_000),
  patienceSeconds: 600,
  progress(text) {
    if (++reports % PROGRESS_EACH === 0) console.log(text);
  },
});
for (const problem of problems.slice(0, 20)) console.log(problem);
console.log(
  `kills: ${kills}, with ${scaled(20)} restarts of the broker and ${scaled(40)} cuts of the link; ` +
    `messages acknowledged: ${acknowledged}; sent again: ${repeated}, at most ${mostRepeated} after one cut; ` +
    `problems: ${problems.length}`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
