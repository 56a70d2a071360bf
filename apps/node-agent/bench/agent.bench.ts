// The whole agent, as built: its start, its memory, its answer to a configuration, its idle time, its pace with a backlog.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startMosquitto, startTentaServer } from "@ivy/backends/testing";
import { MEMORY_FLAGS } from "@ivy/lifecycle";
import { MessagingAgent } from "@ivy/messaging";
import { median, printFigure, wakeUpsOf } from "@ivy/tooling/bench";

const PROJECT_DIR = resolve(import.meta.dirname, "../../..");
const STARTS = 5;
const CHANGES = 5;
const MEMORY_ROUNDS = 3;
/** The main process, two procedures and the backend. */
const PROCESSES = 4;
const BACKLOG = 20_000;
const IDLE_SECONDS = 60;
const TICKS_PER_SECOND = 100;
const SENSOR = "bench-node";

/** What Python Ivy 1.1.0 took on a machine of this kind. */
const PYTHON = {
  firstMessage: { name: "Python Ivy 1.1.0", value: 370 },
  memory: { name: "Python Ivy 1.1.0", value: 74 },
  change: { name: "Python Ivy 1.1.0, to the exit of the old process", value: 7_000 },
  idle: { name: "Python Ivy 1.1.0", value: 0.13 },
  backlog: { name: "Python Ivy 1.1.0", value: 5 },
};

await using broker = await startMosquitto();
await using server = await startTentaServer({ broker });

/** The stock configuration, with a broker on loopback. */
function configuration(revision: number, secondsBetweenDatapoints = 10) {
  const template = JSON.parse(readFileSync(join(PROJECT_DIR, "config/config.template.json"), "utf8"));
  const mqtt_connection = { host: broker.host, port: broker.port, client_id: SENSOR };
  return {
    ...template,
    general: { ...template.general, config_revision: revision, system_identifier: SENSOR },
    backend: { provider: "tenta", mqtt_connection, max_parallel_messages: 50, max_backlog_rate: 100_000 },
    dummy_procedure: { seconds_between_datapoints: secondsBetweenDatapoints },
  };
}

/**
 * Lays the built agent out in a folder of its own, with a Node of its own: with that of the benchmark it would share
 * pages that it has alone on a node.
 */
function deploy(config: object): { root: string; dataDir: string } & Disposable {
  const root = mkdtempSync(join(tmpdir(), "ivy-bench-"));
  const app = join(root, "apps/node-agent");
  mkdirSync(join(root, "config"));
  cpSync(join(PROJECT_DIR, "apps/node-agent/dist"), join(app, "dist"), { recursive: true });
  cpSync(join(PROJECT_DIR, "package.json"), join(root, "package.json"));
  symlinkSync(join(PROJECT_DIR, "apps/node-agent/node_modules"), join(app, "node_modules"));
  copyFileSync(process.execPath, join(root, "node"));
  writeFileSync(join(root, "config/config.json"), JSON.stringify(config), { mode: 0o600 });
  return {
    root,
    dataDir: join(root, "data"),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

function start(root: string) {
  const script = join(root, "apps/node-agent/dist/run.js");
  return spawn(join(root, "node"), [...MEMORY_FLAGS, script], { stdio: "ignore" });
}

async function addMeasurements(dataDir: string, count: number): Promise<void> {
  const agent = new MessagingAgent({ dataDir });
  const measurement = { variant: "data" as const, data: { temperature: 21.4 } };
  await agent.addMessages(Array.from({ length: count }, () => measurement));
  await agent.teardown();
}

async function stop(main: ChildProcess): Promise<void> {
  main.kill("SIGTERM");
  await once(main, "exit");
}

const measurements = () => server.arrivals.filter(({ kind }) => kind === "measurements").length;

/** The main process and those that it has started. */
function family(main: number): number[] {
  const children = readdirSync(`/proc/${main}/task`).flatMap((thread) =>
    readFileSync(`/proc/${main}/task/${thread}/children`, "utf8")
      .trim()
      .split(" ")
      .filter(Boolean)
      .map(Number),
  );
  return [main, ...children];
}

function nameOf(pid: number): string {
  const script = readFileSync(`/proc/${pid}/cmdline`, "utf8")
    .split("\0")
    .find((arg) => arg.endsWith(".js"));
  return script?.replace(/^.*\/|\.js$/g, "") ?? "?";
}

/** Memory in MB: proportional, and of that what the process has written to, which it shares with nobody. */
interface Memory {
  pss: number;
  private: number;
}

function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const megabytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(rollup)?.[1]) / 1024;
  return { pss: megabytes("Pss"), private: megabytes("Private_Dirty") };
}

/** Processor time of some processes so far, in seconds. */
function processorTime(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
}

/** Memory (PSS) of as many Node processes as the agent has, in MB; they do nothing at all. */
async function memoryOfBareNodes(): Promise<number> {
  using node = deploy(configuration(1));
  const script = "console.log(); setInterval(() => undefined, 1e9)";
  const processes = Array.from({ length: PROCESSES }, () =>
    spawn(join(node.root, "node"), [...MEMORY_FLAGS, "--eval", script], {
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
  for (const { stdout } of processes) await once(stdout, "data");
  const sum = processes.reduce((total, { pid }) => total + memoryOf(pid ?? 0).pss, 0);
  for (const one of processes) await stop(one);
  return sum;
}

/** Memory of the whole agent, once its procedures have measured; that of each process goes to standard error. */
async function memoryOfAgent(share_process: boolean): Promise<Memory> {
  using node = deploy({ ...configuration(1), supervision: { share_process } });
  const main = start(node.root);
  await server.count("measurements", measurements() + 2, 60_000);
  const all = family(main.pid ?? 0).map((pid) => ({ name: nameOf(pid), ...memoryOf(pid) }));
  await stop(main);
  for (const { name, pss, private: own } of all)
    process.stderr.write(`memory of ${name}: PSS ${pss.toFixed(1)} MB, of it private ${own.toFixed(1)} MB\n`);
  const sum = (part: keyof Memory) => all.reduce((total, one) => total + one[part], 0);
  return { pss: sum("pss"), private: sum("private") };
}

const firstMessages: number[] = [];
for (let round = 0; round < STARTS; round++) {
  using node = deploy(configuration(1));
  // One that waits, so that the time does not depend on the grid of the procedures.
  await addMeasurements(node.dataDir, 1);
  const before = measurements();
  const begin = performance.now();
  const main = start(node.root);
  await server.count("measurements", before + 1);
  firstMessages.push(performance.now() - begin);
  await stop(main);
}
printFigure({
  name: "start to the first message at the broker",
  value: median(firstMessages),
  unit: "ms",
  beside: PYTHON.firstMessage,
  goal: { atMost: 1 },
});

{
  const rounds: { apart: Memory; shared: Memory }[] = [];
  const bare: number[] = [];
  for (let round = 0; round < MEMORY_ROUNDS; round++) {
    rounds.push({ apart: await memoryOfAgent(false), shared: await memoryOfAgent(true) });
    bare.push(await memoryOfBareNodes());
  }
  const middle = (mode: "apart" | "shared", part: keyof Memory) =>
    median(rounds.map((round) => round[mode][part]));
  printFigure({
    name: "memory (PSS) of all processes together",
    value: middle("apart", "pss"),
    unit: "MB",
    beside: PYTHON.memory,
    goal: { atMost: 1 },
  });
  printFigure({
    name: "memory (PSS) of all processes together, beside the least that any could take",
    value: middle("apart", "pss"),
    unit: "MB",
    beside: { name: `${PROCESSES} Node processes that do nothing`, value: median(bare) },
    goal: { atMost: 1.5 },
  });
  for (const [part, title] of [
    ["pss", "PSS"],
    ["private", "private"],
  ] as const) {
    printFigure({
      name: `memory (${title}) of all processes together where procedures share one`,
      value: middle("shared", part),
      unit: "MB",
      beside: { name: "a process for each procedure", value: middle("apart", part) },
      goal: { atMost: 1 },
    });
  }
}

{
  using node = deploy(configuration(1));
  const main = start(node.root);
  await server.count("measurements", measurements() + 2, 60_000);
  const pids = family(main.pid ?? 0);
  await sleep(5_000);
  const wakeUps = () => pids.reduce((sum, pid) => sum + wakeUpsOf(pid), 0);
  const [before, wokenBefore] = [processorTime(pids), wakeUps()];
  await sleep(IDLE_SECONDS * 1_000);
  printFigure({
    name: "wake-ups when idle, all threads of all processes, stock configuration",
    value: (wakeUps() - wokenBefore) / IDLE_SECONDS,
    unit: "1/s",
    goal: { atMost: 10 },
  });
  printFigure({
    name: "processor time when idle, stock configuration",
    value: (100 * (processorTime(pids) - before)) / IDLE_SECONDS,
    unit: "% of a core",
    beside: PYTHON.idle,
    goal: { atMost: 1 },
  });
  const changes: number[] = [];
  for (let revision = 2; revision < 2 + CHANGES; revision++) {
    const begin = performance.now();
    await server.configure(SENSOR, revision, configuration(revision, 1));
    await server.until(({ kind, element }) => kind === "acknowledgments" && element.revision === revision);
    changes.push(performance.now() - begin);
  }
  printFigure({
    name: "a configuration: from its publish to its acknowledgement, in force",
    value: median(changes),
    unit: "ms",
    beside: PYTHON.change,
    goal: { atMost: 2_000 / PYTHON.change.value },
  });
  await stop(main);
}

{
  using node = deploy(configuration(20));
  await addMeasurements(node.dataDir, BACKLOG);
  const before = measurements();
  const main = start(node.root);
  await server.count("measurements", before + 1, 60_000);
  const begin = performance.now();
  await server.count("measurements", before + BACKLOG, 600_000);
  printFigure({
    name: `a backlog of ${BACKLOG.toLocaleString("en")} measurements drains at`,
    value: (BACKLOG - 1) / ((performance.now() - begin) / 1_000),
    unit: "messages/s",
    beside: PYTHON.backlog,
    goal: { atLeast: 1 },
  });
  await stop(main);
}
