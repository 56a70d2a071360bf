import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TentaArrival } from "@ivy/backends/testing";
import { MessagingAgent } from "@ivy/messaging";
import { createTestAuthority, startMosquitto } from "@ivy/messaging/testing";
import { connectAsync } from "mqtt";
import { expect, it, onTestFinished, vi } from "vitest";
import { configFor, PASSWORD, TOKEN } from "./support/config.ts";
import { deployNode, ended, processesOf, textOf } from "./support/deployed-node.ts";
import { describeWithBroker, setUpField } from "./support/field.ts";

/** Names of the lines of `/proc/PID/environ` and `cmdline` of all processes of a node, with the folder's files. */
function everythingButTheConfiguration(root: string): string {
  const files = readdirSync(join(root, "data"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const processes = processesOf(root).flatMap(({ pid }) =>
    ["cmdline", "environ"].map((name) => `/proc/${pid}/${name}`),
  );
  return [...files, ...processes].map(textThere).join("\n");
}

/** A draft is renamed, and a process ends, at any time. */
function textThere(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

/** The times of all that was ever measured. */
function timesMeasured({ agent }: { agent: MessagingAgent }): number[] {
  return [...agent.messagesOf({ fromMs: 0, toMs: Date.UTC(9999) })]
    .filter(({ message_body }) => message_body.variant === "data")
    .map(({ timestamp }) => timestamp);
}

const timesArrived = ({ arrivals }: { arrivals: readonly TentaArrival[] }) =>
  arrivals.filter(({ kind }) => kind === "measurements").map(({ element }) => element.timestamp);

function agentOn(dataDir: string): { agent: MessagingAgent } & AsyncDisposable {
  const agent = new MessagingAgent({ dataDir });
  return { agent, [Symbol.asyncDispose]: () => agent.teardown() };
}

describeWithBroker("a node and its server", () => {
  it("measurements arrive with their own time, and leave no trace of a secret anywhere", async () => {
    const { server, node } = await setUpField();
    const main = node.run();
    let printed = "";
    for (const stream of [main.stdout, main.stderr]) stream?.on("data", (text) => (printed += text));
    await server.count("measurements", 3);
    await using messages = agentOn(node.dataDir);
    expect(timesMeasured(messages)).toEqual(expect.arrayContaining(timesArrived(server)));
    expect(server.dropped).toEqual([]);
    const all = everythingButTheConfiguration(node.root);
    for (const secret of [PASSWORD, TOKEN])
      expect(all + printed + server.payloads.join("")).not.toContain(secret);
    await vi.waitFor(() => expect(printed).toContain("Connected to the broker"), 20_000);
    main.kill("SIGTERM");
    expect(await ended(main)).toEqual({ code: 0, signal: null });
    expect(processesOf(node.root)).toEqual([]);
  });

  it("every measurement arrives, though the broker is restarted", async () => {
    const { broker, server, node } = await setUpField();
    const main = node.run();
    await server.count("measurements", 2);
    await broker.stop();
    await vi.waitFor(() => expect(node.logs()).toMatch(/The connection to the broker is lost/), 20_000);
    await broker.start();
    const before = server.arrivals.length;
    await server.count("measurements", before + 3, 40_000);
    // What was under way may come twice, and what has waited while there was no connection may come later than what is new.
    await using messages = agentOn(node.dataDir);
    await vi.waitFor(() => {
      const arrived = new Set(timesArrived(server));
      expect(timesMeasured(messages).filter((time) => !arrived.has(time))).toEqual([]);
    }, 20_000);
    main.kill("SIGTERM");
    await ended(main);
  });

  it("what waits is sent before the agent ends, at the pace that is configured", async () => {
    const { server, config } = await setUpField();
    const backend = { ...(config.backend as object), max_drain_time: 60, max_backlog_rate: 1_000 };
    const node = deployNode({ ...config, backend });
    await using messages = agentOn(node.dataDir);
    await messages.agent.addMessages(
      Array.from({ length: 4_000 }, (_, a) => ({ variant: "data", data: { a } })),
    );
    const main = node.run();
    await server.count("measurements", 1);
    const begin = performance.now();
    main.kill("SIGTERM");
    const { queued } = messages.agent.statistics();
    expect(await ended(main)).toEqual({ code: 0, signal: null });
    // A thousand a second, give or take what goes at once.
    expect(performance.now() - begin).toBeGreaterThan(queued / 2);
    await server.count("measurements", 4_000);
    const ofData = messages.agent
      .getNLatestMessages(10)
      .filter(({ message_body }) => message_body.variant === "data");
    expect(ofData).toEqual([]);
  });

  it("what was measured while nobody listened arrives after the next start", async () => {
    const { broker, server, node } = await setUpField();
    await broker.stop();
    const offline = node.run();
    await vi.waitFor(
      () => expect(textOf(join(node.dataDir, "messages")).match(/random_walk_a/g)?.length).toBeGreaterThan(2),
      20_000,
    );
    offline.kill("SIGKILL");
    await ended(offline);
    const measured = textOf(join(node.dataDir, "messages")).match(/random_walk_a/g)?.length ?? 0;
    await broker.start();
    const online = node.run();
    await server.count("measurements", measured + 1);
    online.kill("SIGTERM");
    await ended(online);
  });

  it("a process that is killed is started again, and the others do not notice", async () => {
    const { server, node } = await setUpField();
    const main = node.run();
    await server.count("measurements", 1);
    const before = processesOf(node.root);
    const dummy = before.find(({ name }) => name === "dummy-procedure");
    process.kill(dummy?.pid ?? 0, "SIGKILL");
    await vi.waitFor(() => {
      const now = processesOf(node.root);
      expect(now.map(({ name }) => name).sort()).toEqual(before.map(({ name }) => name).sort());
      expect(now.find(({ name }) => name === "dummy-procedure")?.pid).not.toBe(dummy?.pid);
    }, 20_000);
    const others = (all: typeof before) =>
      all
        .filter(({ name }) => name !== "dummy-procedure")
        .map(({ pid }) => pid)
        .sort();
    expect(others(processesOf(node.root))).toEqual(others(before));
    await server.count(
      "measurements",
      server.arrivals.filter(({ kind }) => kind === "measurements").length + 1,
    );
    // Its death is told to the server too.
    await server.until(
      ({ kind, element }) =>
        kind === "logs" && "message" in element && element.message.includes("has died by SIGKILL"),
    );
    main.kill("SIGTERM");
    await ended(main);
  });

  it("no process outlives a main process that is killed, and the next start is not hindered", async () => {
    const { server, node } = await setUpField();
    const main = node.run();
    await server.count("measurements", 1);
    expect(processesOf(node.root)).toHaveLength(4);
    main.kill("SIGKILL");
    await ended(main);
    await vi.waitFor(() => expect(processesOf(node.root)).toEqual([]), 20_000);
    const before = server.arrivals.length;
    const next = node.run();
    await server.count("measurements", before + 1);
    next.kill("SIGTERM");
    await ended(next);
  });

  it("measurements arrive over TLS, at a broker whose authority only the configuration knows", async () => {
    using authority = createTestAuthority();
    await using broker = await startMosquitto({ tls: authority.issue("broker") });
    const { host, port } = broker;
    const ca = readFileSync(authority.caFile);
    const listener = await connectAsync({ protocol: "mqtts", host, port, ca });
    onTestFinished(() => listener.endAsync());
    await listener.subscribeAsync("measurements/#");
    const arrived = new Promise<{ topic: string; payload: Buffer }>((resolve) =>
      listener.once("message", (topic, payload) => resolve({ topic, payload })),
    );
    const mqtt_connection = { host, port, client_id: "node-7", tls: { ca_file: authority.caFile } };
    const backend = { provider: "tenta", mqtt_connection, max_parallel_messages: 50, max_drain_time: 5 };
    const main = deployNode(configFor(broker, { backend })).run();
    const { topic, payload } = await arrived;
    expect(topic).toBe("measurements/node-7");
    expect(String(payload)).toContain("random_walk");
    main.kill("SIGTERM");
    expect(await ended(main)).toEqual({ code: 0, signal: null });
  });
});
