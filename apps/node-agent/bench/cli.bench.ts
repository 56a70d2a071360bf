// The command line interface, as built: what a person waits for.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MessagingAgent } from "@ivy/messaging";
import { inTurn, median, printFigure } from "@ivy/tooling/bench";

const PROJECT_DIR = resolve(import.meta.dirname, "../../..");
const STARTS = 20;
const ROUNDS = 5;
const ROWS = 400_000;
const LOG_BYTES = 100_000_000;

/** What reading the log takes at least, without its checksums and without printing anything. */
const READ_LINES = `
  import { createReadStream } from "node:fs";
  import { createInterface } from "node:readline";
  const lines = createInterface({ input: createReadStream(process.argv[2]) });
  for await (const line of lines) JSON.parse(line);
`;

const root = mkdtempSync(join(tmpdir(), "ivy-bench-"));
const app = join(root, "apps/node-agent");
mkdirSync(join(root, "config"));
cpSync(join(PROJECT_DIR, "apps/node-agent/dist"), join(app, "dist"), { recursive: true });
cpSync(join(PROJECT_DIR, "package.json"), join(root, "package.json"));
cpSync(join(PROJECT_DIR, "config/config.template.json"), join(root, "config/config.json"));
symlinkSync(join(PROJECT_DIR, "apps/node-agent/node_modules"), join(app, "node_modules"));

/** How long a command takes, in milliseconds, whatever it says of the node by its exit code. */
function time(...args: string[]): number {
  const begin = performance.now();
  spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  return performance.now() - begin;
}

const cli = (...args: string[]) => time(join(app, "dist/cli.js"), ...args);
const several = (run: () => number) => median(Array.from({ length: ROUNDS }, run));

const [ours, bare] = await inTurn(
  STARTS,
  () => cli("info"),
  () => time("--eval", "0"),
);
printFigure({
  name: "start of the command line (info)",
  value: ours,
  unit: "ms",
  beside: { name: "bare Node", value: bare },
  goal: { atMost: 2 },
});

printFigure({
  name: "config check",
  value: several(() => cli("config", "check")),
  unit: "ms",
  goal: { atMost: 300 },
});
printFigure({
  name: "status, agent stopped",
  value: several(() => cli("status")),
  unit: "ms",
  goal: { atMost: 200 },
});

execFileSync(process.execPath, [join(app, "dist/cli.js"), "start"]);
printFigure({
  name: "status, agent running",
  value: several(() => cli("status")),
  unit: "ms",
  goal: { atMost: 200 },
});
execFileSync(process.execPath, [join(app, "dist/cli.js"), "stop"]);

{
  const agent = new MessagingAgent({ dataDir: join(root, "data") });
  for (let added = 0; added < ROWS; added += 1_000) {
    const data = (index: number) => ({
      temperature: 21 + ((added + index) % 100) / 100,
      humidity: index % 100,
    });
    await agent.addMessages(
      Array.from({ length: 1_000 }, (_, index) => ({ variant: "data" as const, data: data(index) })),
    );
  }
  await agent.teardown();
  const from = new Date(Date.now() - 86_400_000).toISOString();
  const [log = ""] = readdirSync(join(root, "data/messages"));
  const reader = join(root, "read-lines.mjs");
  writeFileSync(reader, READ_LINES);
  for (const format of ["csv", "jsonl"]) {
    const [exported, read] = await inTurn(
      ROUNDS,
      () => cli("export", "--from", from, "--format", format),
      () => time(reader, join(root, "data/messages", log)),
    );
    printFigure({
      name: `export of ${ROWS.toLocaleString("en")} messages of two values, ${format}`,
      value: exported,
      unit: "ms",
      beside: { name: "readline and JSON.parse of the same file", value: read },
      goal: { atMost: 1.5 },
    });
  }
}

{
  const day = new Date().toISOString().slice(0, 10);
  const line = (index: number) =>
    `${day} 00:00:00.000 UTC+0 - dummy-procedure  - DEBUG     - Sent measurement number ${index} of this day\n`;
  const lines: string[] = [];
  for (let bytes = 0, index = 0; bytes < LOG_BYTES; index++)
    bytes += lines[lines.push(line(index)) - 1]?.length ?? 0;
  mkdirSync(join(root, "data/logs"), { recursive: true });
  writeFileSync(join(root, "data/logs", `${day}.log`), lines.join(""));
  printFigure({
    name: "search in 100 MB of logs",
    value: several(() => cli("logs", "--text", "number 4711 of")),
    unit: "ms",
    goal: { atMost: 1_000 },
  });
}

rmSync(root, { recursive: true, force: true });
