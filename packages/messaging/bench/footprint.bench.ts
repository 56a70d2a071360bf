// What a process that adds messages costs more than one that does nothing; the built package, as its users have it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { median, printFigure } from "@ivy/tooling/bench";
import { privateMemory, temporary } from "./support.ts";

const ROUNDS = 15;

const PROGRAMS = {
  bare: `process.stdout.write("up"); setInterval(() => {}, 1e6);`,
  adding: `
    import { MessagingAgent } from "${import.meta.resolve("../dist/index.js")}";
    const agent = new MessagingAgent({ dataDir: process.argv[2] });
    await agent.addMessage({ variant: "data", data: { temperature: 21.4 } });
    process.stdout.write("up");
    setInterval(() => {}, 1e6);
  `,
};

using folder = temporary();

/** Milliseconds until a program is up, and what it holds of memory a second later, in MB. */
async function run(name: keyof typeof PROGRAMS): Promise<{ ms: number; memory: number }> {
  const file = join(folder.path, `${name}.mjs`);
  writeFileSync(file, PROGRAMS[name]);
  const begin = performance.now();
  const child = spawn(process.execPath, [file, folder.path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const ms = performance.now() - begin;
  await sleep(1_000);
  const memory = privateMemory(child.pid ?? 0);
  child.kill("SIGKILL");
  await once(child, "exit");
  return { ms, memory };
}

const results = {
  bare: [] as { ms: number; memory: number }[],
  adding: [] as { ms: number; memory: number }[],
};
for (let round = 0; round < ROUNDS; round++) {
  results.bare.push(await run("bare"));
  results.adding.push(await run("adding"));
}
const more = (of: (result: { ms: number; memory: number }) => number) =>
  median(results.adding.map(of)) - median(results.bare.map(of));
printFigure({
  name: "a process that adds messages: private memory more than bare Node",
  value: more(({ memory }) => memory),
  unit: "MB",
  goal: { atMost: 3 },
});
printFigure({
  name: "a process that adds messages: start later than bare Node",
  value: more(({ ms }) => ms),
  unit: "ms",
  goal: { atMost: 15 },
});
