import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Logger } from "@ivy/logger";
import { MessagingAgent } from "@ivy/messaging";
import { StateInterface } from "@ivy/state";
import type { Config } from "@ivy/types";
import { connectAsync } from "mqtt";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { publishMqttMessage } from "../src/index.ts";
import { run } from "../src/tenta.ts";
import { hasMosquitto, type Mosquitto, startMosquitto, startTentaServer } from "../src/testing.ts";
import { EVER, logOf } from "./support/stored.ts";

const PATIENCE = { timeout: 20_000 };
const USER = { username: "node-7", password: "canary-password" };

function configuration({ host, port }: { host: string; port: number }): Config {
  return {
    general: { config_revision: 7, software_version: "2.0.0", system_identifier: "node-7" },
    logging_verbosity: { file_archive: "DEBUG", console_prints: null, message_sending: null },
    backend: {
      provider: "tenta",
      mqtt_connection: { host, port, client_id: "node-7", ...USER },
      max_parallel_messages: 50,
      max_backlog_rate: 100_000,
      max_drain_time: 50,
    },
    dummy_procedure: { seconds_between_datapoints: 10 },
    system_checks: { seconds_between_checks: 120 },
  };
}

async function setUp() {
  const broker = await startMosquitto({ user: USER });
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const server = await startTentaServer({ broker: { host: broker.host, port: broker.port, ...USER } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const root = mkdtempSync(join(tmpdir(), "ivy-tenta-"));
  const [dataDir, configDir] = [join(root, "data"), join(root, "config")];
  for (const folder of [dataDir, configDir]) mkdirSync(folder);
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return { broker, server, dataDir, configDir };
}

/** Starts the backend in this process, as the agent starts it in one of its own. */
function startBackend(broker: Mosquitto, dataDir: string, configDir: string, config = configuration(broker)) {
  const ended = new AbortController();
  const messages = new MessagingAgent({ dataDir, revision: 7 });
  const logger = new Logger({
    origin: "tenta",
    verbosity: config.logging_verbosity,
    logsDir: join(dataDir, "logs"),
  });
  const state = new StateInterface({ dataDir });
  const node = { logger, messages, state, dataDir, configDir, secrets: [], signal: ended.signal };
  const running = run(config, "tenta", ended.signal, node);
  const stop = async (reason: "stop" | "restart" = "stop") => {
    ended.abort(reason);
    await running;
    await messages.teardown();
  };
  onTestFinished(() => stop("restart"));
  return { messages, state, stop, log: () => logOf(dataDir) };
}

/** The topics of what the broker has kept for whoever subscribes later. */
async function retainedTopics({ host, port }: Mosquitto): Promise<string[]> {
  const client = await connectAsync({ protocol: "mqtt", host, port, ...USER, reconnectPeriod: 0 });
  onTestFinished(() => client.endAsync(true));
  const topics: string[] = [];
  client.on("message", (topic) => topics.push(topic));
  await client.subscribeAsync("#", { qos: 1 });
  // What is kept comes before anything else.
  await client.publishAsync("last", "", { qos: 1 });
  await vi.waitFor(() => expect(topics).toContain("last"), 20_000);
  return topics.slice(0, topics.indexOf("last"));
}

/** Everything below a folder, as text. */
function contents(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("");
}

const NEW_CONFIG = {
  ...configuration({ host: "h", port: 1 }),
  general: { software_version: "2.0.0", system_identifier: "node-7" },
};

describe.skipIf(!hasMosquitto)("the Tenta backend (needs mosquitto)", () => {
  it("delivers data, logs and configuration states with the time at which they were added", async () => {
    const { broker, server, dataDir, configDir } = await setUp();
    const offline = new MessagingAgent({ dataDir, revision: 7 });
    const before = Date.now() / 1_000;
    await offline.addMessage({ variant: "data", data: { temperature: 21.4 } });
    await offline.addMessage({ variant: "log", level: "ERROR", subject: "s", body: "b" });
    await offline.addMessage({
      variant: "config",
      status: "accepted",
      config: { general: { config_revision: 7 } },
    });
    await offline.teardown();
    const added = Date.now() / 1_000;
    const { messages } = startBackend(broker, dataDir, configDir);
    await server.count("measurements", 1);
    // Errors and answers go before data.
    expect(server.arrivals).toMatchObject([
      { kind: "logs", element: { message: "s\n\nb", severity: "error", revision: 7 } },
      { kind: "acknowledgments", element: { success: true, revision: 7 } },
      { kind: "measurements", sensor: "node-7", element: { value: { temperature: 21.4 }, revision: 7 } },
    ]);
    for (const { element } of server.arrivals) {
      expect(element.timestamp).toBeGreaterThanOrEqual(before - 0.001);
      expect(element.timestamp).toBeLessThanOrEqual(added);
    }
    await vi.waitFor(() => expect(messages.getNLatestMessages(10)).toEqual([]), PATIENCE);
  });

  it("sets aside what cannot be carried, says so once, and sends the 200 messages behind it", async () => {
    const { broker, server, dataDir, configDir } = await setUp();
    const offline = new MessagingAgent({ dataDir, revision: 7 });
    for (let turn = 0; turn < 20; turn++)
      await offline.addMessage({ variant: "data", data: { Wrong: turn } });
    for (let turn = 0; turn < 60; turn++) {
      await offline.addMessage(
        { variant: "config", status: "startup", config: { general: { config_revision: 7 } } },
        { durability: "fast" },
      );
    }
    await offline.addMessages(
      Array.from({ length: 200 }, (_, turn) => ({ variant: "data" as const, data: { turn } })),
    );
    await offline.teardown();
    const { messages, log } = startBackend(broker, dataDir, configDir);
    await server.count("measurements", 200);
    const turns = server.arrivals.map(({ element }) =>
      "value" in element ? element.value["turn"] : undefined,
    );
    expect(turns).toEqual(Array.from({ length: 200 }, (_, turn) => turn));
    expect(server.dropped).toEqual([]);
    await vi.waitFor(() => expect(messages.statistics().dead).toBe(20), PATIENCE);
    expect(messages.deadLetters(1)).toMatchObject([
      { reason: '"Wrong" is not a key that Tenta takes', message_body: { data: { Wrong: 0 } } },
    ]);
    expect(log().match(/was set aside/g)).toHaveLength(1);
    await vi.waitFor(() => expect(messages.getNLatestMessages(10)).toEqual([]), PATIENCE);
  });

  it("has no more messages under way than the configuration allows", async () => {
    const { broker, server, dataDir, configDir } = await setUp();
    const offline = new MessagingAgent({ dataDir });
    await offline.addMessages(
      Array.from({ length: 20 }, (_, turn) => ({ variant: "data" as const, data: { turn } })),
    );
    await offline.teardown();
    const config = configuration(broker);
    const backend = config.backend && { ...config.backend, max_parallel_messages: 3 };
    startBackend(broker, dataDir, configDir, { ...config, backend });
    await server.count("measurements", 20);
    // What is sent together is no more than that either.
    const together = server.payloads.map((payload) => JSON.parse(payload).length);
    expect(Math.max(...together)).toBe(3);
  });

  it("has the broker keep nothing for whoever subscribes later", async () => {
    const { broker, server, dataDir, configDir } = await setUp();
    const { messages } = startBackend(broker, dataDir, configDir);
    await messages.addMessage({ variant: "data", data: { a: 1 } });
    await messages.addMessage({ variant: "log", level: "ERROR", subject: "s", body: "b" });
    const config = { general: { config_revision: 7 } };
    await messages.addMessage({ variant: "config", status: "accepted", config });
    await vi.waitFor(() => expect(server.arrivals).toHaveLength(3), 20_000);
    expect(await retainedTopics(broker)).toEqual([]);
  });

  it("takes a configuration once, however often the broker sends it", async () => {
    const { broker, server, dataDir, configDir } = await setUp();
    await server.configure("node-7", 8, NEW_CONFIG);
    const first = startBackend(broker, dataDir, configDir);
    await vi.waitFor(() => expect(first.state.load().pending_configs).toHaveLength(1), PATIENCE);
    const [pending] = first.state.load().pending_configs;
    expect(pending).toMatchObject({ general: { config_revision: 8, software_version: "2.0.0" } });
    const file = join(configDir, pending?.file ?? "");
    expect(JSON.parse(readFileSync(file, "utf8")).general.config_revision).toBe(8);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await first.state.update((draft) => {
      draft.pending_configs = [];
      draft.handled_configs.push({ config_revision: 8, digest: pending?.digest ?? "", outcome: "rejected" });
    });
    await first.stop();

    const second = startBackend(broker, dataDir, configDir);
    await vi.waitFor(
      () => expect(second.log()).toContain("The configuration of revision 8 is known already"),
      PATIENCE,
    );
    expect(second.state.load().pending_configs).toEqual([]);
    await server.configure("node-7", 9, NEW_CONFIG);
    await vi.waitFor(
      () => expect(second.state.load().pending_configs).toMatchObject([{ general: { config_revision: 9 } }]),
      PATIENCE,
    );
    const received = [...second.messages.messagesOf(EVER)];
    expect(received.map(({ message_body }) => "status" in message_body && message_body.status)).toEqual([
      "received",
      "received",
    ]);
  });

  it("answers what is no configuration for any version, and lives on after what is no message at all", async () => {
    const { broker, server, dataDir, configDir } = await setUp();
    const { messages, state, log } = startBackend(broker, dataDir, configDir);
    // Once something has arrived, the backend has subscribed.
    await messages.addMessage({ variant: "data", data: { a: 1 } });
    await server.count("measurements", 1);
    for (const payload of [
      "",
      "not JSON",
      "[]",
      '{"revision":"8","configuration":{}}',
      '{"revision":-1,"configuration":{}}',
    ]) {
      await server.publishRaw("node-7", payload);
    }
    await server.configure("node-7", 8, { general: { software_version: "two" } });
    await server.until(
      ({ kind, element }) =>
        kind === "acknowledgments" && "success" in element && !element.success && element.revision === 8,
    );
    const reason = "general.software_version: must be a version like 1.2.0 or 1.2.0-rc.1";
    await vi.waitFor(
      () =>
        expect(state.load().handled_configs).toMatchObject([
          { config_revision: 8, outcome: "rejected", reason },
        ]),
      PATIENCE,
    );
    expect(state.load().pending_configs).toEqual([]);
    expect(log().match(/is not a configuration/g)).toHaveLength(4);
  });

  it("lets no secret out: neither its own password nor those of a configuration that arrives", async () => {
    const { broker, server, dataDir, configDir } = await setUp();
    const { messages, state, stop } = startBackend(broker, dataDir, configDir);
    await messages.addMessage({ variant: "data", data: { a: 1 } });
    // What is secret in a section that only another version knows, nobody here can tell.
    await server.configure("node-7", 8, { ...NEW_CONFIG, modem: { pin: "canary-pin" } });
    await vi.waitFor(() => expect(state.load().pending_configs).toHaveLength(1), PATIENCE);
    await stop();
    expect(contents(dataDir)).not.toContain("canary");
    expect(server.payloads.join("")).not.toContain("canary");
  });

  it("sends on at the end, until the queue is empty", async () => {
    const { broker, server, dataDir, configDir } = await setUp();
    const { messages, stop } = startBackend(broker, dataDir, configDir);
    await messages.addMessages(
      Array.from({ length: 5_000 }, (_, turn) => ({ variant: "data" as const, data: { turn } })),
    );
    await stop("stop");
    await server.count("measurements", 5_000);
    expect(server.arrivals).toHaveLength(5_000);
  });
});

describe.skipIf(!hasMosquitto)("publishMqttMessage (needs mosquitto)", () => {
  it("resolves once the broker has the message", async () => {
    const { broker, server } = await setUp();
    const message = [{ value: { a: 1 }, timestamp: 1_764_000_000 }];
    await publishMqttMessage({
      topic: "measurements/x",
      message,
      host: broker.host,
      port: broker.port,
      ...USER,
    });
    expect(await server.until(({ sensor }) => sensor === "x")).toMatchObject({ element: message[0] });
  });

  it("has the broker keep the message only where that is asked for", async () => {
    const { broker } = await setUp();
    const { host, port } = broker;
    const publish = (topic: string, options: { retain?: boolean }) =>
      publishMqttMessage({ topic, message: {}, host, port, ...USER, ...options });
    await publish("usual", {});
    await publish("kept", { retain: true });
    expect(await retainedTopics(broker)).toEqual(["kept"]);
  });
});
