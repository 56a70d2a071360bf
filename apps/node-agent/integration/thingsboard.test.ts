import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startThingsBoardServer } from "@ivy/backends/testing";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { changed, configFor, SENSOR } from "./support/config.ts";
import { type AnyConfig, deployNode, ended, processesOf } from "./support/deployed-node.ts";

const ACCESS_TOKEN = "canary-access-token";
const LONG = { timeout: 40_000 };

describe("a node and a ThingsBoard server", () => {
  it("measurements, state, configuration, calls and packages travel between them", {
    timeout: 300_000,
  }, async () => {
    const server = await startThingsBoardServer({ token: ACCESS_TOKEN });
    onTestFinished(() => server[Symbol.asyncDispose]());
    const backend = {
      provider: "thingsboard",
      mqtt_connection: { host: server.host, port: server.port, client_id: SENSOR, username: ACCESS_TOKEN },
      max_parallel_messages: 50,
      max_drain_time: 5,
    };
    const config: AnyConfig = configFor(server, { backend });
    const node = deployNode(config);
    const main = node.run();

    await server.until(() => server.valuesOf("random_walk_a_position").length >= 3, 40_000);
    const running = {
      "dummy-procedure": "running",
      "system-checks": "running",
      "thingsboard-backend": "running",
    };
    await server.until(() => JSON.stringify(server.clientAttributes).includes("system-checks"), 40_000);
    expect(server.clientAttributes).toMatchObject({ version: "2.0.0", revision: 7, processes: running });

    // A call starts all processes again; the main process goes on, and so does the system.
    const pids = processesOf(node.root);
    const main_ = pids.find(({ name }) => name === "run");
    expect(await server.rpc("restart", {}, { timeoutMs: 40_000 })).toEqual({ restarting: true });
    await vi.waitFor(() => {
      const now = processesOf(node.root);
      expect(now.map(({ name }) => name).sort()).toEqual(pids.map(({ name }) => name).sort());
      expect(now.filter(({ pid }) => pids.some((before) => before.pid === pid))).toEqual([main_]);
    }, LONG);
    expect(await server.rpc("status", {}, { timeoutMs: 40_000 })).toMatchObject({
      version: "2.0.0",
      revision: 7,
      processes: { "dummy-procedure": { state: "running", restarts: 0 } },
      queue: { dead: 0 },
    });

    // Another level of the logs reaches the other processes too.
    const change = { sink: "message_sending", level: "DEBUG" };
    expect(await server.rpc("logs.level", change, { timeoutMs: 40_000 })).toEqual(change);
    await server.until(
      () => JSON.stringify(server.valuesOf("logging")).includes("System load of the last"),
      40_000,
    );

    // A package is downloaded, and its page shows what has become of it.
    server.assignPackage({ kind: "sw", title: "ivy", version: "9.0.0", data: randomBytes(20_000) });
    await server.until(() => server.valuesOf("sw_state").includes("FAILED"), 40_000);
    expect(server.valuesOf("sw_error")).toEqual([
      "VERSION_CHANGE_UNSUPPORTED: this node runs from a checkout, which cannot become ivy 9.0.0 by itself",
    ]);

    // A configuration is put in force and answered.
    server.setShared({ configuration: changed(config, 8) });
    await server.until(
      () => JSON.stringify(server.valuesOf("configuration")).includes('"status":"accepted"'),
      40_000,
    );
    await server.until(() => server.clientAttributes["revision"] === 8, 40_000);

    main.kill("SIGTERM");
    expect(await ended(main)).toEqual({ code: 0, signal: null });
    const state = JSON.parse(readFileSync(join(node.dataDir, "state.json"), "utf8"));
    expect(state.processes).toMatchObject({ "thingsboard-backend": { state: "ended" } });
    expect(server.lost).toEqual([]);
    expect(server.connections.map(({ closedBecause }) => closedBecause)).not.toContainEqual(
      expect.anything(),
    );
    expect(JSON.stringify(server.publishes) + node.logs() + JSON.stringify(state)).not.toContain("canary");
  });
});
