import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { Counters } from "../src/metrics/counters.ts";
import { openMetrics } from "../src/metrics/open-metrics.ts";
import { changed, configFor, PASSWORD, SENSOR, TOKEN } from "./support/config.ts";
import { deployNode, ended, processesOf } from "./support/deployed-node.ts";
import { describeWithBroker, setUpField } from "./support/field.ts";
import { parseOpenMetrics } from "./support/parse-open-metrics.ts";

const NOBODY = { host: "127.0.0.1", port: 9 };
const PATIENCE = { timeout: 30_000, interval: 100 };

type Place = { host: string; port: number } | { socketPath: string };

/** An address of loopback that nobody else takes, be its ports as they may. */
function ownAddress(): string {
  return ["127", ...randomBytes(3).map((byte) => 1 + (byte % 254))].join(".");
}

async function read(where: Place, path = "/metrics") {
  const request = get({ path, agent: false, ...where });
  const [response] = await once(request, "response");
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return { status: response.statusCode, type: response.headers["content-type"], text };
}

/** The values of all metrics without labels. */
async function valuesAt(where: Place) {
  const families = parseOpenMetrics((await read(where)).text);
  return Object.fromEntries([...families].map(([name, { samples }]) => [name, samples[0]?.value]));
}

describe("metrics", () => {
  it("are served at a loopback port as OpenMetrics, as far as they are known", async () => {
    const place = { host: ownAddress(), port: 9_464 };
    const metrics = { listen: `${place.host}:${place.port}` };
    const node = deployNode({ ...configFor(NOBODY), backend: null, metrics });
    await node.cli(["start"]);
    const { status, type, text } = await read(place);
    expect([status, type]).toEqual([200, "application/openmetrics-text; version=1.0.0; charset=utf-8"]);
    const families = parseOpenMetrics(text);
    expect(families.get("ivy_agent")).toMatchObject({
      type: "info",
      samples: [{ labels: { version: "2.0.0" } }],
    });
    expect(families.get("ivy_config_revision")?.samples).toEqual([{ labels: {}, value: 7 }]);
    const names = families.get("ivy_process_running")?.samples.map(({ labels }) => labels["process"]);
    expect(names).toEqual(["dummy-procedure", "system-checks"]);
    expect(families.get("ivy_uptime_seconds")).toMatchObject({ type: "gauge", unit: "seconds" });
    // Without a server there is no connection that could be told of.
    expect(families.has("ivy_link_connected")).toBe(false);
    for (const secret of [PASSWORD, TOKEN]) expect(text).not.toContain(secret);
    expect((await read(place, "/")).status).toBe(404);
    const stored = await vi.waitFor(async () => {
      const values = await valuesAt(place);
      expect(values["ivy_messages_stored"]).toBeGreaterThan(3);
      return values;
    }, PATIENCE);
    expect(stored["ivy_queue_messages"]).toBeGreaterThan(0);
    expect(stored["ivy_messages_stored_bytes"]).toBeGreaterThan(300);
  });

  it("are not served unless the configuration asks for them, and a place that is taken is no reason not to run", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const listen = `127.0.0.1:${port}`;
    const node = deployNode({ ...configFor(NOBODY), backend: null, metrics: { listen } });
    expect((await node.cli(["start"])).code).toBe(0);
    await vi.waitFor(() => expect(node.logs()).toContain(`Metrics cannot be served at ${listen}`), PATIENCE);
    taken.close();
  });

  it.each(["0.0.0.0:9464", "192.168.1.2:9464", "9464", "example.org:80", "127.0.0.1:99999"])(
    "are served at no port but one of this machine: %s is refused",
    async (listen) => {
      const node = deployNode({ ...configFor(NOBODY), metrics: { listen } });
      const { code, stderr } = await node.cli(["start"]);
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining("metrics.listen: must be a port of this machine"),
      ]);
    },
  );

  it.each(["logs", "../config/config.json"])(
    "are no reason to end, nor not to end, where something else is in the place of their socket: %s",
    async (path) => {
      const listen = `unix:${path}`;
      const node = deployNode({ ...configFor(NOBODY), backend: null, metrics: { listen } });
      const main = node.run();
      await vi.waitFor(
        () => expect(node.logs()).toContain(`Metrics cannot be served at ${listen}`),
        PATIENCE,
      );
      await vi.waitFor(() => expect(node.logs()).toContain("Last boot"), PATIENCE);
      expect(existsSync(join(node.dataDir, path))).toBe(true);
      main.kill("SIGTERM");
      expect(await ended(main)).toMatchObject({ code: 0 });
      expect(processesOf(node.root)).toEqual([]);
    },
  );

  it("that cannot be ended are no reason for anything to live on", async () => {
    const listen = "unix:metrics.sock";
    const node = deployNode({ ...configFor(NOBODY), backend: null, metrics: { listen } });
    const script = join(node.root, "apps/node-agent/dist/run.js");
    const built = readFileSync(script, "utf8");
    const spoiled = built.replace("server.closeAllConnections();", 'throw new Error("no end");');
    expect(spoiled).not.toBe(built);
    writeFileSync(script, spoiled);
    const main = node.run();
    await vi.waitFor(() => expect(node.logs()).toContain("Last boot"), PATIENCE);
    await vi.waitFor(() => expect(existsSync(join(node.dataDir, "metrics.sock"))).toBe(true), PATIENCE);
    main.kill("SIGTERM");
    expect(await ended(main)).toMatchObject({ code: 1 });
    expect(node.logs()).toContain('"dummy-procedure" has ended');
    expect(processesOf(node.root)).toEqual([]);
  });

  it("are escaped", () => {
    const odd = 'a "b" \\ c\nd';
    const samples = [{ labels: { process: odd }, value: 1 }];
    const text = openMetrics([{ name: "x", type: "gauge", help: odd, samples }]);
    expect(text).toBe(
      String.raw`# TYPE x gauge
# HELP x a \"b\" \\ c\nd
x{process="a \"b\" \\ c\nd"} 1
# EOF
`,
    );
    parseOpenMetrics(text);
  });

  it("count on when a process has begun anew", () => {
    const counters = new Counters();
    const [first, other, second] = [{}, {}, {}];
    counters.take(first, { stored: 5, storedBytes: 500, acknowledged: 1 });
    counters.take(first, { stored: 7, storedBytes: 700, acknowledged: 4 });
    counters.take(other, { stored: 2, storedBytes: 200, acknowledged: 0 });
    counters.take(second, { stored: 8, storedBytes: 800, acknowledged: 1 });
    expect(counters.total).toEqual({ stored: 17, storedBytes: 1_700, acknowledged: 5 });
  });
});

describeWithBroker("metrics of a node with a server", () => {
  it("are served at a socket from the configuration that comes, with the connection", async () => {
    const { node, server, config } = await setUpField();
    await node.cli(["start"]);
    await server.configure(SENSOR, 8, changed(config, 8, { metrics: { listen: "unix:metrics.sock" } }));
    const socketPath = join(node.dataDir, "metrics.sock");
    // What was acknowledged before counts on, so that alone does not show that the backend has begun anew.
    await vi.waitFor(async () => {
      const seen = await valuesAt({ socketPath });
      expect(seen).toMatchObject({ ivy_config_revision: 8, ivy_link_connected: 1, ivy_messages_dead: 0 });
      expect(seen["ivy_messages_acknowledged"]).toBeGreaterThan(0);
    }, PATIENCE);
  });
});
