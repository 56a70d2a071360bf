import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { configFor } from "./support/config.ts";
import { type DeployedNode, deployNode, processesOf } from "./support/deployed-node.ts";
import { expectedProcesses } from "./support/expected-processes.ts";

const TEMPLATE = resolve(import.meta.dirname, "../../../config/config.template.json");
const PATIENCE = { timeout: 50_000, interval: 100 };

/** What `npm start` runs when everything is built, in a terminal of its own. */
function startInTerminal({ root }: DeployedNode): { child: ChildProcess; said: () => string } {
  const { IVY_DATA_DIR: _, ...env } = process.env;
  const script = join(root, "apps/node-agent/dist/dev.js");
  const child = spawn(process.execPath, [script], { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      text += chunk;
    });
  return { child, said: () => text };
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

it("`npm start` creates a configuration, shows what a broker of its own receives, and leaves no process behind", async () => {
  const node = deployNode(configFor({ host: "127.0.0.1", port: 9 }));
  rmSync(node.configFile);
  cpSync(TEMPLATE, join(node.root, "config/config.template.json"));
  const { child, said } = startInTerminal(node);
  await vi.waitFor(
    () => expect(said()).toMatch(/^broker received {2}measurements\/\S+ \[\{"value":/m),
    PATIENCE,
  );
  expect(said()).toContain(`created ${node.configFile} from the template`);
  expect(said()).toMatch(/^measured +\{".*\}$/m);
  expect(statSync(node.configFile).mode & 0o777).toBe(0o600);
  expect(readFileSync(node.configFile, "utf8")).toBe(readFileSync(TEMPLATE, "utf8"));
  const port = Number(/a development broker listens on 127\.0\.0\.1:(\d+)/.exec(said())?.[1]);
  expect(await isListening(port)).toBe(true);
  const others = expectedProcesses(JSON.parse(readFileSync(TEMPLATE, "utf8"))).filter(
    (name) => name !== "run",
  );
  expect(processesOf(node.root).map(({ name }) => name)).toEqual(expect.arrayContaining(["dev", ...others]));

  const silent = connect(port, "127.0.0.1");
  onTestFinished(() => void silent.destroy());
  await once(silent, "connect");
  // Ctrl-C goes to all processes of the terminal.
  process.kill(-(child.pid ?? 0), "SIGINT");
  await vi.waitFor(() => expect(child.exitCode).toBe(0), { timeout: 20_000 });
  expect(processesOf(node.root)).toEqual([]);
  expect(said()).toContain("everything has ended");
  expect(await isListening(port)).toBe(false);
});

it("`npm start` does not send to a broker of its own what waits for a real server", async () => {
  const node = deployNode(configFor({ host: "broker.example.org", port: 8_883 }));
  const { child, said } = startInTerminal(node);
  await once(child, "close");
  expect(child.exitCode).toBe(1);
  expect(said()).toContain("names the broker broker.example.org, and what waits for it");
  expect(existsSync(node.dataDir)).toBe(false);
});
