import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { pipeline } from "node:stream";
import { createServer } from "node:tls";
import type { Mosquitto } from "@ivy/backends/testing";
import { type CertificateFiles, createTestAuthority, type TestAuthority } from "@ivy/messaging/testing";
import { expect, it, vi } from "vitest";
import { changed, SENSOR } from "./support/config.ts";
import type { AnyConfig } from "./support/deployed-node.ts";
import { describeWithBroker } from "./support/field.ts";
import { type Sabotage, setUpRoot, stopped } from "./support/root-node.ts";
import { inForce, isSteady, type OnTestFinished, setUpField } from "./support/trial-field.ts";

// Trials take their time, and several run at once.
vi.setConfig({ testTimeout: 240_000 });

/** Long enough for a trial and its end on a loaded machine. */
const PATIENCE = { timeout: 120_000, interval: 100 };

async function setUp(onTestFinished: OnTestFinished) {
  const field = await setUpField(onTestFinished);
  return { ...field, node: await setUpRoot(field.config, onTestFinished) };
}

const withConnection = (config: AnyConfig, change: Record<string, unknown>, revision = 8): AnyConfig => {
  const backend = config["backend"] as { mqtt_connection: Record<string, unknown> };
  const mqtt_connection = { ...backend.mqtt_connection, ...change };
  return changed(config, revision, { backend: { ...backend, mqtt_connection } });
};

/** Speaks TLS in front of a broker that does not, so that the server needs no certificate; resolves to its port. */
async function startTlsGate(broker: Mosquitto, files: CertificateFiles, onTestFinished: OnTestFinished) {
  const [cert, key] = [readFileSync(files.certFile), readFileSync(files.keyFile)];
  const gate = createServer({ cert, key }, (client) => {
    pipeline(client, connect(broker.port, broker.host), client, () => undefined);
  });
  gate.listen(0, "127.0.0.1");
  await once(gate, "listening");
  onTestFinished(() => void gate.close());
  return (gate.address() as AddressInfo).port;
}

/** Configures a node badly, and sees that it comes back, goes on measuring meanwhile, and is not misled again. */
async function isTakenBack(
  { server, config, node, answers, gaps }: Awaited<ReturnType<typeof setUp>>,
  spoiled: AnyConfig,
): Promise<void> {
  const launcher = node.run();
  await server.count("measurements", 1);
  await server.configure(SENSOR, 8, spoiled);
  await vi.waitFor(() => expect(inForce(node).general.config_revision).toBe(8), PATIENCE);
  await vi.waitFor(() => expect(answers(8)).toEqual([false]), PATIENCE);
  expect(inForce(node)).toEqual(config);
  expect(isSteady(node)).toBe(true);
  expect(Math.max(...gaps(node))).toBeLessThan(20);
  // The server repeats its retained configuration at every connect, and nothing comes of it.
  await node.cli("restart");
  await vi.waitFor(() => expect(node.logs()).toMatch(/revision 8 is known already/), PATIENCE);
  expect(answers(8)).toEqual([false]);
  await stopped(launcher);
}

describeWithBroker("a configuration on trial", () => {
  it.concurrent("is in force at once, and accepted when it has proven itself", async ({ onTestFinished }) => {
    const { server, config, node, answers, gaps } = await setUp(onTestFinished);
    const launcher = node.run();
    await server.count("measurements", 1);
    await server.configure(SENSOR, 8, changed(config, 8, { system_checks: { seconds_between_checks: 2 } }));
    await server.until(({ kind, element }) => kind === "measurements" && element.revision === 8);
    expect(inForce(node).general.config_revision).toBe(8);
    await vi.waitFor(() => expect(answers(8)).toEqual([true]), PATIENCE);
    const arrivals = server.arrivals.filter(({ element }) => element.revision === 8);
    const answered = arrivals.findIndex(({ element }) => "success" in element);
    expect(arrivals.findIndex(({ kind }) => kind === "measurements")).toBeLessThan(answered);
    expect(isSteady(node)).toBe(true);
    expect(Math.max(...gaps(node))).toBeLessThan(20);
    await stopped(launcher);
  });

  const dead = { port: 9 };
  it.concurrent.for<[string, (config: AnyConfig) => AnyConfig]>([
    ["names a broker that is not there", (config) => withConnection(config, dead)],
    ["has a wrong password", (config) => withConnection(config, { password: "wrong" })],
    ["speaks TLS to a broker that does not", (config) => withConnection(config, { tls: {} })],
  ])(
    "that %s is taken back and told to be rejected, while the node goes on measuring",
    async ([, spoil], { onTestFinished }) => {
      const field = await setUp(onTestFinished);
      await isTakenBack(field, spoil(field.config));
    },
  );

  it.concurrent("that trusts another authority than the broker's is taken back, and told over TLS to be rejected", async ({
    onTestFinished,
  }) => {
    const field = await setUpField(onTestFinished);
    const [own, other] = [createTestAuthority(), createTestAuthority()];
    onTestFinished(() => [own, other].forEach((authority) => void authority[Symbol.dispose]()));
    const port = await startTlsGate(field.broker, own.issue("broker"), onTestFinished);
    const trusting = ({ caFile: ca_file }: TestAuthority) => ({ port, tls: { ca_file } });
    const config = withConnection(field.config, trusting(own), 7);
    const node = await setUpRoot(config, onTestFinished);
    await isTakenBack({ ...field, config, node }, withConnection(config, trusting(other)));
    expect(node.logs()).toMatch(/Not proven until now: the server has not taken a message yet/);
  });
});

describeWithBroker("a first server", () => {
  it.concurrent("that is not there is no outage: there was none that anybody could reach", async ({
    onTestFinished,
  }) => {
    const { config } = await setUpField(onTestFinished);
    const node = await setUpRoot({ ...config, backend: null }, onTestFinished);
    const launcher = node.run();
    await vi.waitFor(() => expect(node.logs()).toContain("Starting the main loop"), PATIENCE);
    await node.arrive(withConnection(config, { port: 9 }));
    const rejected = expect.objectContaining({ config_revision: 8, outcome: "rejected" });
    await vi.waitFor(() => expect(node.state.load().handled_configs).toContainEqual(rejected), PATIENCE);
    expect(isSteady(node)).toBe(true);
    await stopped(launcher);
  });
});

describeWithBroker("an outage for everybody", () => {
  it.concurrent("does not end a trial, however long; what was on trial is accepted once the broker is back", async ({
    onTestFinished,
  }) => {
    const { broker, config, node, server, answers } = await setUp(onTestFinished);
    const launcher = node.run();
    await server.count("measurements", 1);
    await broker.stop();
    await node.arrive(changed(config, 8));
    await vi.waitFor(() => expect(isSteady(node)).toBe(false), PATIENCE);
    const begun = performance.now();
    await vi.waitFor(() => expect(node.logs()).toContain("The broker answers nobody"), PATIENCE);
    // Twice the time that the trial would have.
    await vi.waitFor(() => expect(performance.now() - begun).toBeGreaterThan(30_000), PATIENCE);
    expect(isSteady(node)).toBe(false);
    await broker.start();
    await vi.waitFor(() => expect(answers(8)).toEqual([true]), PATIENCE);
    expect(isSteady(node)).toBe(true);
    await stopped(launcher);
  });
});

/** Plays a backend that is connected and does not send. */
const CONNECTS_ONLY = `{
  const tell = (message) => process.send(message);
  tell({ kind: "ready" });
  const since = Number(process.hrtime.bigint() / 1_000_000n);
  tell({ kind: "link", connected: true, since, counts: { stored: 0, storedBytes: 0, acknowledged: 0 } });
  process.on("disconnect", () => process.exit());
  setInterval(() => undefined, 1_000);
  await new Promise(() => undefined);
}`;

/** Plays a procedure whose loop comes round, and which does not call itself healthy. */
const NEVER_HEALTHY = `{
  const counts = { stored: 0, storedBytes: 0, acknowledged: 0 };
  const name = "dummy-procedure";
  const tell = (message) => process.send({ name, ...message });
  tell({ kind: "health", lacks: "no device at 0x76" });
  tell({ kind: "progress", counts, at: 0, turns: 1, failures: 0, intervalMs: 1e6, nextInMs: 1e6 });
  process.on("disconnect", () => process.exit());
  process.on("SIGTERM", () => process.exit());
  await new Promise(() => setInterval(() => undefined, 1_000));
}`;

describeWithBroker("a version on trial", () => {
  async function changeTo(sabotage: Sabotage, onTestFinished: OnTestFinished) {
    const field = await setUp(onTestFinished);
    const { config, server, node } = field;
    await node.addVersion("4.5.6", sabotage);
    const launcher = node.run();
    await server.count("measurements", 1);
    const wanted = changed(config, 8);
    wanted.general["software_version"] = "4.5.6";
    await server.configure(SENSOR, 8, wanted);
    return { ...field, launcher };
  }

  it.concurrent("that is installed already is switched to, proven, accepted, and the messages of the old one arrive", async ({
    onTestFinished,
  }) => {
    const { node, server, answers, gaps, launcher } = await changeTo({}, onTestFinished);
    await vi.waitFor(() => expect(answers(8)).toEqual([true]), PATIENCE);
    expect(inForce(node).general.software_version).toBe("4.5.6");
    expect(isSteady(node)).toBe(true);
    expect((await node.cli("info")).stdout).toContain("CLI version: 4.5.6");
    expect(Math.max(...gaps(node))).toBeLessThan(20);
    await server.until(({ kind, element }) => kind === "measurements" && element.revision === 8);
    await stopped(launcher);
  });

  it.concurrent.for<[string, Sabotage, RegExp?]>([
    ["exits at once", { run: "process.exit(7);" }],
    ["hangs before its main loop", { run: "while (true);" }],
    ["has a procedure that throws", { "dummy-procedure": 'throw new Error("broken");' }],
    [
      "has a procedure that never comes to its loop",
      { "dummy-procedure": "await new Promise(() => setInterval(() => {}, 1000));" },
    ],
    [
      "has a procedure that does not call itself healthy",
      { "dummy-procedure": NEVER_HEALTHY },
      /Not proven until now: "dummy-procedure" is not healthy: no device at 0x76/,
    ],
    ["connects to the server and sends nothing", { "tenta-backend": CONNECTS_ONLY }],
    [
      "never reaches the server",
      { "tenta-backend": "setInterval(() => {}, 1000); await new Promise(() => {});" },
    ],
  ])(
    "that %s is left in time, rejected, and not tried again",
    async ([, sabotage, reason = /is rejected/], { onTestFinished }) => {
      const { node, server, answers, launcher } = await changeTo(sabotage, onTestFinished);
      await vi.waitFor(() => expect(inForce(node).general.software_version).toBe("4.5.6"), PATIENCE);
      const begun = performance.now();
      await vi.waitFor(() => expect(inForce(node).general.software_version).toBe("1.2.3"), PATIENCE);
      expect(performance.now() - begun).toBeLessThan((30 + 15) * 1_000);
      await vi.waitFor(() => expect(answers(8)).toEqual([false]), PATIENCE);
      expect(node.logs()).toMatch(reason);
      expect(isSteady(node)).toBe(true);
      const before = server.arrivals.length;
      await vi.waitFor(() => expect(server.arrivals.length).toBeGreaterThan(before), PATIENCE);
      await stopped(launcher);
    },
  );
});
