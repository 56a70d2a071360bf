import { type MessageBody, type MessageQueueItem, TopicsConfig } from "@ivy/types";
import { describe, expect, it } from "vitest";
import { mqttProtocol } from "../src/mqtt-protocol.ts";

const NAMES = { systemIdentifier: "roof", clientId: "roof-1", receiveConfig: async () => undefined };

function protocolFor(topics: Partial<TopicsConfig> = {}, names: Partial<typeof NAMES> = {}) {
  return mqttProtocol({ topics: TopicsConfig.parse(topics), ...NAMES, ...names });
}

function item(message_body: MessageBody, extra: Partial<MessageQueueItem> = {}): MessageQueueItem {
  return { identifier: 1, timestamp: 1_764_000_000.25, revision: 7, message_body, ...extra };
}

const DATA: MessageBody = { variant: "data", data: { temperature: 21.4, site: "roof" } };
const LOG: MessageBody = { variant: "log", level: "ERROR", subject: "s", body: "b" };
const STATE: MessageBody = {
  variant: "config",
  status: "rejected",
  config: { general: { config_revision: 8 } },
  reason: "why",
};

/** Topic and content of what messages are sent as. */
function sent(protocol: ReturnType<typeof protocolFor>, ...messages: MessageQueueItem[]): unknown[][] {
  return protocol.map(messages).publishes.map(({ topic, payload }) => [topic, JSON.parse(String(payload))]);
}

describe("over plain MQTT", () => {
  it("each message is one object with its identifier and the time and revision of then, on the topic of its kind", () => {
    const when = { id: 1, timestamp: 1_764_000_000.25, revision: 7 };
    expect(sent(protocolFor(), item(DATA), item(LOG), item(STATE))).toEqual([
      ["ivy/roof/data", { ...when, data: { temperature: 21.4, site: "roof" } }],
      ["ivy/roof/logs", { ...when, level: "ERROR", subject: "s", body: "b" }],
      [
        "ivy/roof/configuration_states",
        { ...when, status: "rejected", config: { general: { config_revision: 8 } }, reason: "why" },
      ],
    ]);
  });

  it("messages are sent one by one, in their order, and leave the queue one by one", () => {
    const messages = [DATA, LOG, DATA, DATA].map((body, identifier) => item(body, { identifier }));
    const { publishes, settled, refused } = protocolFor().map(messages);
    expect(publishes.map(({ identifiers }) => identifiers)).toEqual([[0], [1], [2], [3]]);
    expect([...settled, ...refused]).toEqual([]);
  });

  it("there is no revision before the first configuration", () => {
    const { revision: _, ...without } = item(DATA);
    expect(protocolFor().map([without]).publishes[0]?.payload).toBe(
      '{"id":1,"timestamp":1764000000.25,"data":{"temperature":21.4,"site":"roof"}}',
    );
  });

  it("topics are those of the configuration, with names in the place of the placeholders", () => {
    const protocol = protocolFor({
      data: "sites/{system_identifier}/{client_id}/data",
      logs: "sites/logs/{level}",
      configuration: "fleet/{client_id}",
    });
    expect(sent(protocol, item(DATA), item(LOG), item(STATE)).map(([topic]) => topic)).toEqual([
      "sites/roof/roof-1/data",
      "sites/logs/ERROR",
      "ivy/roof/configuration_states",
    ]);
    expect(protocol.subscriptions).toEqual(["fleet/roof-1"]);
  });

  it.each(["a/b", "a+", "#", "", "a\0"])(
    "a name that cannot stand in a topic is refused at once: %j",
    (name) => {
      const logs = "{client_id}/logs";
      expect(() => protocolFor({ logs }, { clientId: name })).toThrow(
        `The topic {client_id}/logs cannot be used: {client_id} is ${JSON.stringify(name)}`,
      );
      expect(() => protocolFor({}, { clientId: name })).not.toThrow();
    },
  );
});
