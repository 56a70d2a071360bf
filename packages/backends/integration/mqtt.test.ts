import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Logger } from "@ivy/logger";
import { MessagingAgent } from "@ivy/messaging";
import { StateInterface } from "@ivy/state";
import type { Config } from "@ivy/types";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { run } from "../src/mqtt.ts";
import { hasMosquitto } from "../src/testing.ts";
import { configuration, type Folders, PATIENCE, setUp, startClient } from "./mqtt-support.ts";
import { logOf } from "./support/stored.ts";

/** Starts the backend in this process, as the agent starts it in one of its own. */
function startBackend(config: Config, folders: Folders) {
  const ended = new AbortController();
  const messages = new MessagingAgent({ ...folders, revision: config.general.config_revision });
  const logger = new Logger({
    origin: "mqtt",
    verbosity: config.logging_verbosity,
    logsDir: join(folders.dataDir, "logs"),
  });
  const state = new StateInterface(folders);
  const agent = { reportLink: vi.fn() };
  const running = run(config, "mqtt-backend", ended.signal, { ...folders, messages, logger, state, agent });
  onTestFinished(async () => {
    ended.abort("restart");
    await running;
    await messages.teardown();
  });
  return { messages, state, agent, log: () => logOf(folders.dataDir) };
}

describe.skipIf(!hasMosquitto)("the backend for plain MQTT (needs mosquitto)", () => {
  it("delivers data, logs and configuration states to the topics of the configuration", async () => {
    const { broker, folders } = await setUp();
    const topics = { data: "sites/{system_identifier}/data", logs: "sites/{client_id}/logs/{level}" };
    const { arrivals } = await startClient(broker, "#");
    const { messages, agent } = startBackend(configuration(broker, topics), folders);
    const before = Date.now() / 1_000;
    await messages.addMessage({ variant: "data", data: { temperature: 21.4, site: "roof" } });
    await messages.addMessage({ variant: "log", level: "ERROR", subject: "s", body: "b" });
    const config = { general: { config_revision: 7 } };
    await messages.addMessage({ variant: "config", status: "accepted", config });
    await vi.waitFor(() => expect(arrivals).toHaveLength(3), PATIENCE);
    const timestamp = expect.toSatisfy((time: number) => time >= before - 0.001 && time < before + 20);
    // What is urgent may overtake the rest.
    const byTopic = Object.fromEntries(arrivals.map(({ topic, payload }) => [topic, JSON.parse(payload)]));
    const id = expect.any(Number);
    expect(byTopic).toEqual({
      "sites/roof/data": { id, timestamp, revision: 7, data: { temperature: 21.4, site: "roof" } },
      "sites/node-7/logs/ERROR": { id, timestamp, revision: 7, level: "ERROR", subject: "s", body: "b" },
      "ivy/roof/configuration_states": { id, timestamp, revision: 7, status: "accepted", config },
    });
    expect(new Set(Object.values(byTopic).map((message) => message.id)).size).toBe(3);
    await vi.waitFor(() => expect(messages.getNLatestMessages(10)).toEqual([]), PATIENCE);
    const events = agent.reportLink.mock.calls;
    const acknowledged = ["acknowledged", 1];
    expect(events).toEqual([
      ["disconnected"],
      ["connected", undefined],
      acknowledged,
      acknowledged,
      acknowledged,
    ]);
  });

  it("takes the retained configuration with its own revision, once, and answers without its secrets", async () => {
    const { broker, folders } = await setUp();
    const { arrivals, configure } = await startClient(broker, "ivy/roof/configuration_states");
    const received = configuration(broker);
    const next = { ...received, general: { ...received.general, config_revision: 8 } };
    await configure("ivy/roof/configuration", JSON.stringify(next));
    const { state, log } = startBackend(received, folders);
    await vi.waitFor(() => expect(arrivals).toHaveLength(1), PATIENCE);
    expect(JSON.parse(arrivals[0]?.payload ?? "")).toMatchObject({
      revision: 7,
      status: "received",
      config: { general: { config_revision: 8 } },
    });
    const pending = await vi.waitFor(() => {
      const [found] = state.load().pending_configs;
      return found ?? expect.unreachable("no configuration has come");
    }, PATIENCE);
    expect(JSON.parse(readFileSync(join(folders.configDir, pending.file), "utf8"))).toEqual(next);

    await configure("ivy/roof/configuration", JSON.stringify(next));
    await vi.waitFor(() => expect(log()).toContain("of revision 8 is known already"), PATIENCE);
    expect(arrivals).toHaveLength(1);
  });

  it("goes on after what is not a configuration, and says what was expected", async () => {
    const { broker, folders } = await setUp();
    const { configure, arrivals } = await startClient(broker, "ivy/roof/data");
    const { messages, state, log } = startBackend(configuration(broker), folders);
    // What is sent is sent once the subscriptions stand.
    await messages.addMessage({ variant: "data", data: { a: 1 } });
    await vi.waitFor(() => expect(arrivals).toHaveLength(1), PATIENCE);
    const broken = ["{", "[]", '"text"', "{}", '{"general":{"config_revision":-1}}'];
    for (const payload of [...broken, ""]) await configure("ivy/roof/configuration", payload);
    await vi.waitFor(
      () => expect(log().match(/topic of the configuration is not one/g)).toHaveLength(broken.length),
      PATIENCE,
    );
    expect(log()).toContain("a whole number general.config_revision from 0 to 2147483647");
    expect(state.load()).toMatchObject({ pending_configs: [], handled_configs: [] });
    await messages.addMessage({ variant: "data", data: { a: 2 } });
    await vi.waitFor(() => expect(arrivals).toHaveLength(2), PATIENCE);
  });
});
