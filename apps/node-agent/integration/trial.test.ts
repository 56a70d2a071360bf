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

const withConnection = (config: AnyConfig, change: Record<string, unknown>): AnyConfig => {
  const backend = config["backend"] as { mqtt_connection: Record<string, unknown> };
  const mqtt_connection = { ...backend.mqtt_connection, ...change };
  return changed(config, 8, { backend: { ...backend, mqtt_connection } });
};

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
    ["trusts the wrong authority", (config) => withConnection(config, { tls: {} })],
  ])(
    "that %s is taken back and told to be rejected, while the node goes on measuring",
    async ([, spoil], { onTestFinished }) => {
      const { server, config, node, answers, gaps } = await setUp(onTestFinished);
      const launcher = node.run();
      await server.count("measurements", 1);
      await server.configure(SENSOR, 8, spoil(config));
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
    },
  );
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

  it.concurrent.for<[string, Sabotage]>([
    ["exits at once", { run: "process.exit(7);" }],
    ["hangs before its main loop", { run: "while (true);" }],
    ["has a procedure that throws", { "dummy-procedure": 'throw new Error("broken");' }],
    [
      "has a procedure that never comes to its loop",
      { "dummy-procedure": "await new Promise(() => setInterval(() => {}, 1000));" },
    ],
    ["connects to the server and sends nothing", { "tenta-backend": CONNECTS_ONLY }],
    [
      "never reaches the server",
      { "tenta-backend": "setInterval(() => {}, 1000); await new Promise(() => {});" },
    ],
  ])("that %s is left in time, rejected, and not tried again", async ([, sabotage], { onTestFinished }) => {
    const { node, server, answers, launcher } = await changeTo(sabotage, onTestFinished);
    await vi.waitFor(() => expect(inForce(node).general.software_version).toBe("4.5.6"), PATIENCE);
    const begun = performance.now();
    await vi.waitFor(() => expect(inForce(node).general.software_version).toBe("1.2.3"), PATIENCE);
    // Its trial, and what a busy machine takes.
    expect(performance.now() - begun).toBeLessThan((30 + 45) * 1_000);
    await vi.waitFor(() => expect(answers(8)).toEqual([false]), PATIENCE);
    expect(isSteady(node)).toBe(true);
    const before = server.arrivals.length;
    await vi.waitFor(() => expect(server.arrivals.length).toBeGreaterThan(before), PATIENCE);
    await stopped(launcher);
  });
});
