import { connect, connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { startThingsBoardServer, type ThingsBoardServerOptions } from "../src/testing.ts";

/** The stand-in, and a client of it that does as it is told. */
async function setUp(options: ThingsBoardServerOptions = {}, client: IClientOptions = {}) {
  const server = await startThingsBoardServer(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const { host, port } = server;
  const device = await connectAsync({
    host,
    port,
    protocol: "mqtt",
    username: "token",
    reconnectPeriod: 0,
    ...client,
  });
  onTestFinished(() => device.endAsync(true));
  device.on("error", () => undefined);
  const messages: [string, string][] = [];
  device.on("message", (topic, payload) => messages.push([topic, payload.toString()]));
  return { server, device, messages };
}

/** Publishes with QoS 1, without waiting. */
const publish = (device: MqttClient, topic: string, payload: string | object) =>
  device.publish(topic, typeof payload === "string" ? payload : JSON.stringify(payload), { qos: 1 });

describe("the stand-in for ThingsBoard closes the connection on", () => {
  it.each([
    ["text that is not JSON", "v1/devices/me/telemetry", "{", /not JSON/],
    ["what is no object", "v1/devices/me/telemetry", "[1]", /not an object/],
    ["a time that is none", "v1/devices/me/telemetry", '{"ts":1.5,"values":{}}', /ts is not/],
    ["client attributes that are none", "v1/devices/me/attributes", "[]", /not an object/],
    ["a request id of 64 bits", "v1/devices/me/attributes/request/1764000000000", "{}", /32 bits/],
    ["a request id that is no number", "v1/devices/me/rpc/request/x", "{}", /32 bits/],
    ["a call without a method", "v1/devices/me/rpc/request/1", "{}", /method/],
    ["a chunk beyond 32 bits", "v2/fw/request/1/chunk/3000000000", "1024", /32 bits/],
    ["a size of chunks that is no number", "v2/fw/request/1/chunk/0", "all", /32 bits/],
    ["a package that there is not", "v2/fw/request/1/chunk/0", "1024", /NOT_FOUND/],
    ["a payload that is too large", "v1/devices/me/telemetry", "x".repeat(65_536), /packet of/],
  ])("%s", async (_, topic, payload, reason) => {
    const { server, device } = await setUp();
    publish(device, topic, payload);
    expect(await server.until(() => server.connections[0]?.closedBecause)).toMatch(reason);
  });

  it.each([
    ["messages", { messages: "3:1" }, /too many messages/],
    ["telemetry", { telemetryMessages: "3:1" }, /too many messages/],
    ["data points", { telemetryDataPoints: "7:1" }, /too many data points/],
  ])("too many %s a second", async (_, limits, reason) => {
    const { server, device } = await setUp({ limits });
    for (let turn = 0; turn < 4; turn++) publish(device, "v1/devices/me/telemetry", { a: turn, b: turn });
    expect(await server.until(() => server.connections[0]?.closedBecause)).toMatch(reason);
    expect(server.valuesOf("a")).toEqual([0, 1, 2]);
  });

  it("too many messages under way", async () => {
    const { server, device } = await setUp({ limits: { maxInflightMessages: 2 } });
    server.faults.acknowledgeAfterMs = 60_000;
    for (let turn = 0; turn < 3; turn++) publish(device, "v1/devices/me/telemetry", { turn });
    expect(await server.until(() => server.connections[0]?.closedBecause)).toMatch(/under way/);
  });

  it("numbers that it has no type for, where it does not turn them into texts", async () => {
    const { server, device } = await setUp({ typeCast: false });
    publish(device, "v1/devices/me/telemetry", { a: 0.1 + 0.2 });
    expect(await server.until(() => server.connections[0]?.closedBecause)).toMatch(/too long/);
  });
});

describe("the stand-in for ThingsBoard", () => {
  it("lets nobody in who does not know the token", async () => {
    await expect(setUp({ token: "other" })).rejects.toThrow(/Bad username or password/);
  });

  it("says that it has kept a session, and has not", async () => {
    const session = { clean: false, clientId: "device" };
    const { server, device } = await setUp({}, session);
    await device.subscribeAsync("v1/devices/me/attributes", { qos: 1 });
    await device.endAsync();
    const { host, port } = server;
    const again = connect({
      host,
      port,
      protocol: "mqtt",
      username: "token",
      resubscribe: false,
      ...session,
    });
    onTestFinished(() => again.endAsync(true));
    const heard: string[] = [];
    again.on("message", (topic) => heard.push(topic));
    const sessionPresent = new Promise((resolve) =>
      again.once("connect", (packet) => resolve(packet.sessionPresent)),
    );
    expect(await sessionPresent).toBe(true);
    server.setShared({ a: 1 });
    await again.publishAsync("v1/devices/me/telemetry", "{}", { qos: 1 });
    expect(heard).toEqual([]);
  });

  it.each(["v1/devices/me/#", "v2/fw/response/+", "#"])("refuses the filter %s", async (filter) => {
    const { device } = await setUp();
    await expect(device.subscribeAsync(filter, { qos: 1 })).rejects.toThrow(/Unspecified error/);
  });

  it("turns numbers into texts and texts into numbers, and shows it", async () => {
    const { server, device } = await setUp();
    publish(
      device,
      "v1/devices/me/telemetry",
      '{"a":0.30000000000000004,"b":"1.10","c":1e30,"d":5,"e":5.0,"f":true}',
    );
    await server.until(() => server.telemetry.length > 0);
    expect(server.telemetry[0]).toMatchObject({
      values: { a: "0.30000000000000004", b: 1.1, c: "1e30", d: 5, e: 5, f: true },
      types: { a: "string", b: "double", c: "string", d: "long", e: "double", f: "boolean" },
    });
  });

  it("loses everything that comes with a blank key, after it has acknowledged it", async () => {
    const { server, device } = await setUp();
    await device.publishAsync("v1/devices/me/telemetry", '{" ":1,"a":2}', { qos: 1 });
    expect([server.telemetry, server.lost.length]).toEqual([[], 1]);
  });

  it("answers questions for attributes and limits, and leaves out what there is not", async () => {
    const { server, device, messages } = await setUp({ limits: { messages: "9:1" } });
    server.setShared({ a: 1 });
    await device.subscribeAsync(["v1/devices/me/attributes/response/+", "v1/devices/me/rpc/response/+"], {
      qos: 1,
    });
    publish(device, "v1/devices/me/attributes/request/1", { sharedKeys: "a,b", clientKeys: "c" });
    publish(device, "v1/devices/me/attributes/request/2", { sharedKeys: "b" });
    publish(device, "v1/devices/me/rpc/request/3", { method: "getSessionLimits", params: {} });
    await expect
      .poll(() => messages, { timeout: 20_000 })
      .toEqual([
        ["v1/devices/me/attributes/response/1", '{"shared":{"a":1}}'],
        ["v1/devices/me/attributes/response/2", "{}"],
        [
          "v1/devices/me/rpc/response/3",
          '{"maxPayloadSize":65536,"maxInflightMessages":100,"rateLimits":{"messages":"9:1"}}',
        ],
      ]);
  });
});
