import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startMosquitto, startTentaServer } from "@ivy/backends/testing";
import { readPointer } from "@ivy/updater";
import { expect, it, onTestFinished, vi } from "vitest";
import { changed, configFor, PASSWORD, SENSOR } from "./support/config.ts";
import type { AnyConfig } from "./support/deployed-node.ts";
import { describeWithBroker } from "./support/field.ts";
import { type Sabotage, setUpRoot, stopped } from "./support/root-node.ts";

const VERSION = "1.2.3";

const UPDATER = {
  repository: "org/repo",
  provider: "github",
  provider_host: "github.com",
  spread_seconds: 0,
  trial_seconds: 30,
  config_trial_seconds: 15,
};

/** Long enough for a trial and its end on a loaded machine. */
const PATIENCE = { timeout: 90_000, interval: 100 };

async function setUp() {
  const user = { username: SENSOR, password: PASSWORD };
  const broker = await startMosquitto({ user });
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const server = await startTentaServer({ broker: { host: broker.host, port: broker.port, ...user } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const base = configFor(broker);
  const config = { ...base, updater: UPDATER, general: { ...base.general, software_version: VERSION } };
  const node = await setUpRoot(config, VERSION);
  /** How the server was told about a revision, each time that it was. */
  const answers = (revision: number) =>
    server.arrivals.flatMap(({ element }) =>
      "success" in element && element.revision === revision ? [element.success] : [],
    );
  const inForce = () => JSON.parse(readFileSync(join(node.paths.active, "config.json"), "utf8"));
  const isSteady = () => readPointer(node.paths, "active") === readPointer(node.paths, "lastGood");
  const measurements = () => server.arrivals.filter(({ kind }) => kind === "measurements").length;
  return { broker, server, config, node, answers, inForce, isSteady, measurements };
}

type Field = Awaited<ReturnType<typeof setUp>>;

const withConnection = (config: AnyConfig, change: Record<string, unknown>): AnyConfig => {
  const backend = config["backend"] as { mqtt_connection: Record<string, unknown> };
  const mqtt_connection = { ...backend.mqtt_connection, ...change };
  return changed(config, 8, { backend: { ...backend, mqtt_connection } });
};

/** Seconds between one data point of the dummy procedure and the next, over all that were ever measured. */
function gaps(node: Field["node"]): number[] {
  const times = node
    .archive()
    .filter(({ message_body: body }) => body.variant === "data" && "random_walk_a_position" in body.data)
    .map(({ timestamp }) => timestamp);
  return times.slice(1).map((time, index) => time - (times[index] ?? time));
}

describeWithBroker("a configuration on trial", () => {
  it("is in force at once, and accepted when it has proven itself", async () => {
    const { server, config, node, answers, inForce, isSteady } = await setUp();
    const launcher = node.run();
    await server.count("measurements", 1);
    await server.configure(SENSOR, 8, changed(config, 8, { system_checks: { seconds_between_checks: 2 } }));
    await server.until(({ kind, element }) => kind === "measurements" && element.revision === 8);
    expect(inForce().general.config_revision).toBe(8);
    expect(answers(8)).toEqual([]);
    await vi.waitFor(() => expect(answers(8)).toEqual([true]), PATIENCE);
    expect(isSteady()).toBe(true);
    expect(Math.max(...gaps(node))).toBeLessThan(4);
    await stopped(launcher);
  });

  const dead = { port: 9 };
  it.each<[string, (config: AnyConfig) => AnyConfig]>([
    ["names a broker that is not there", (config) => withConnection(config, dead)],
    ["has a wrong password", (config) => withConnection(config, { password: "wrong" })],
    ["trusts the wrong authority", (config) => withConnection(config, { tls: {} })],
  ])("that %s is taken back and told to be rejected, while the node goes on measuring", async (_, spoil) => {
    const { server, config, node, answers, inForce, isSteady } = await setUp();
    const launcher = node.run();
    await server.count("measurements", 1);
    await server.configure(SENSOR, 8, spoil(config));
    await vi.waitFor(() => expect(inForce().general.config_revision).toBe(8), PATIENCE);
    await vi.waitFor(() => expect(answers(8)).toEqual([false]), PATIENCE);
    expect(inForce()).toEqual(config);
    expect(isSteady()).toBe(true);
    expect(Math.max(...gaps(node))).toBeLessThan(6);
    // The server repeats its retained configuration at every connect, and nothing comes of it.
    await node.cli("restart");
    await vi.waitFor(() => expect(node.logs()).toMatch(/revision 8 is known already/), PATIENCE);
    expect(answers(8)).toEqual([false]);
    await stopped(launcher);
  });
});

describeWithBroker("an outage for everybody", () => {
  it("does not end a trial, however long; what was on trial is accepted once the broker is back", async () => {
    const { broker, config, node, server, answers, isSteady } = await setUp();
    const launcher = node.run();
    await server.count("measurements", 1);
    await broker.stop();
    await node.arrive(changed(config, 8));
    await vi.waitFor(() => expect(isSteady()).toBe(false), PATIENCE);
    const begun = performance.now();
    await vi.waitFor(() => expect(node.logs()).toContain("The broker answers nobody"), PATIENCE);
    // Twice the time that the trial would have.
    await vi.waitFor(() => expect(performance.now() - begun).toBeGreaterThan(30_000), PATIENCE);
    expect(isSteady()).toBe(false);
    await broker.start();
    await vi.waitFor(() => expect(answers(8)).toEqual([true]), PATIENCE);
    expect(isSteady()).toBe(true);
    await stopped(launcher);
  });
});

describeWithBroker("a version on trial", () => {
  async function changeTo(sabotage: Sabotage) {
    const field = await setUp();
    const { config, server, node } = field;
    await node.addVersion("4.5.6", sabotage);
    const launcher = node.run();
    await server.count("measurements", 1);
    const wanted = changed(config, 8);
    wanted.general["software_version"] = "4.5.6";
    await server.configure(SENSOR, 8, wanted);
    return { ...field, launcher };
  }

  it("that is installed already is switched to, proven, accepted, and the messages of the old one arrive", async () => {
    const { node, server, answers, inForce, isSteady, launcher } = await changeTo({});
    await vi.waitFor(() => expect(answers(8)).toEqual([true]), PATIENCE);
    expect(inForce().general.software_version).toBe("4.5.6");
    expect(isSteady()).toBe(true);
    expect((await node.cli("info")).stdout).toContain("CLI version: 4.5.6");
    expect(Math.max(...gaps(node))).toBeLessThan(10);
    await server.until(({ kind, element }) => kind === "measurements" && element.revision === 8);
    await stopped(launcher);
  });

  it.each<[string, Sabotage]>([
    ["exits at once", { run: "process.exit(7);" }],
    ["hangs before its main loop", { run: "while (true);" }],
    ["has a procedure that throws", { "dummy-procedure": 'throw new Error("broken");' }],
    [
      "never reaches the server",
      { "tenta-backend": "setInterval(() => {}, 1000); await new Promise(() => {});" },
    ],
  ])("that %s is left in time, rejected, and not tried again", async (_, sabotage) => {
    const { server, answers, inForce, isSteady, launcher } = await changeTo(sabotage);
    await vi.waitFor(() => expect(inForce().general.software_version).toBe("4.5.6"), PATIENCE);
    const begun = performance.now();
    await vi.waitFor(() => expect(inForce().general.software_version).toBe(VERSION), PATIENCE);
    expect(performance.now() - begun).toBeLessThan((30 + 15) * 1_000);
    await vi.waitFor(() => expect(answers(8)).toEqual([false]), PATIENCE);
    expect(isSteady()).toBe(true);
    const before = server.arrivals.length;
    await vi.waitFor(() => expect(server.arrivals.length).toBeGreaterThan(before), PATIENCE);
    await stopped(launcher);
  });
});
