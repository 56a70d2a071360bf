import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { hasMosquitto, type Mosquitto, startFaultProxy, startMosquitto } from "@ivy/messaging/testing";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { ROOT, run, succeed } from "./support/commands.ts";
import { packAll } from "./support/packages.ts";
import { INSTALL_MS, install, temporaryFolder } from "./support/project.ts";

const PATIENCE = { timeout: 20_000, interval: 10 };
const USER = { username: "station", password: "canary-password" };

const elsewhere = temporaryFolder();
const project = join(elsewhere.folder, "weather-station");
afterAll(() => elsewhere[Symbol.dispose]());

beforeAll(async () => {
  const example = join(ROOT, "apps/examples/weather-station");
  cpSync(example, project, { recursive: true, filter: (path) => !path.endsWith("node_modules") });
  using tarballs = await packAll();
  await install(project, tarballs);
}, INSTALL_MS);

let folders = 0;
/** A folder for readings of their own. */
const dataFolder = () => `data-${++folders}`;

const station = (data: string, ...args: string[]) =>
  succeed(project, "node", "src/main.ts", "--data", data, ...args);

/** A command that goes on until it is ended. */
function startStation(data: string, ...args: string[]) {
  const env = { ...process.env, NODE_OPTIONS: "", STATION_PASSWORD: USER.password };
  const command = ["src/main.ts", "--data", data, ...args];
  const child = spawn(process.execPath, command, { cwd: project, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  onTestFinished(() => end(child));
  return { child, output: () => output };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

/** What a broker gets, in the order of its arrival. */
async function subscribe({ host, port }: Mosquitto) {
  const client = await connectAsync({ protocol: "mqtt", host, port, ...USER, reconnectPeriod: 0 });
  onTestFinished(() => client.endAsync(true));
  const arrivals: { topic: string; reading: { measured_at: string; celsius: number } }[] = [];
  client.on("message", (topic, payload) => arrivals.push({ topic, reading: JSON.parse(payload.toString()) }));
  await client.subscribeAsync("#", { qos: 1 });
  return arrivals;
}

describe("the weather station, with nothing but the packed packages", () => {
  it("compiles, with the declarations of everything that it uses", async () => {
    expect(existsSync(join(project, "node_modules/@ivy/messaging/src"))).toBe(false);
    await succeed(project, join(project, "node_modules/.bin/tsc"));
  });

  it("adds many at once, reads and removes, without a broker", async () => {
    const data = dataFolder();
    expect(await station(data, "import", "readings.csv")).toBe("3 imported\n");
    expect(await station(data, "drop", "1")).toBe("1 given up\n");
    expect(await station(data, "waiting")).toBe(
      "2026-05-01T10:10:00Z roof 11.6 °C\n2026-05-01T10:20:00Z roof 12.1 °C\n",
    );
  });

  it("refuses a reading that does not fit its own schema, and all that were to be added with it", async () => {
    const data = dataFolder();
    const { code, output } = await run(project, "node", "src/main.ts", "--data", data, "import", "README.md");
    expect(code).toBe(1);
    expect(output).toContain("measured_at: Invalid ISO datetime");
    expect(await station(data, "waiting")).toBe("");
  });

  it("observes what another of its processes adds", async () => {
    const data = dataFolder();
    await station(data, "import", "readings.csv");
    const watching = startStation(data, "watch");
    const measuring = startStation(data, "measure", "--seconds", "0.05", "--station", "tower");
    await vi.waitFor(() => expect(watching.output()).toMatch(/"station":"tower".*"celsius":\d/), PATIENCE);
    expect(watching.output()).not.toContain("2026-05-01");
    for (const { child } of [measuring, watching]) {
      await end(child);
      expect(child.exitCode).toBe(0);
    }
  });
});

describe.skipIf(!hasMosquitto)("the weather station and a broker (needs mosquitto)", () => {
  it("forwards what waited and what comes, in order, through a cut of the link, and keeps none of it", async () => {
    const data = dataFolder();
    await using broker = await startMosquitto({ user: USER });
    await using link = await startFaultProxy(broker.port);
    const arrivals = await subscribe(broker);
    const args = ["--host", link.host, "--port", String(link.port), "--username", USER.username];
    await station(data, "import", "readings.csv");
    const { child, output } = startStation(data, "forward", ...args);
    await vi.waitFor(() => expect(arrivals).toHaveLength(3), PATIENCE);
    expect(arrivals).toEqual([
      {
        topic: "weather/roof",
        reading: { measured_at: "2026-05-01T10:00:00Z", celsius: 11.2, hectopascal: 1013.4 },
      },
      {
        topic: "weather/roof",
        reading: { measured_at: "2026-05-01T10:10:00Z", celsius: 11.6, hectopascal: 1013.2 },
      },
      { topic: "weather/roof", reading: { measured_at: "2026-05-01T10:20:00Z", celsius: 12.1 } },
    ]);

    // What is under way at a cut comes twice.
    await vi.waitFor(async () => expect(await station(data, "waiting")).toBe(""), PATIENCE);
    link.refuse();
    link.reset();
    await station(data, "import", "readings.csv", "--station", "tower");
    await link.restore();
    await vi.waitFor(() => expect(arrivals).toHaveLength(6), PATIENCE);
    expect(arrivals.slice(3).map(({ topic }) => topic)).toEqual(Array(3).fill("weather/tower"));
    await end(child);
    expect(child.exitCode).toBe(0);
    expect(output()).not.toContain(USER.password);
    expect(await station(data, "waiting")).toBe("");
  });
});
