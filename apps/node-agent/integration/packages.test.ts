import { readFileSync, writeFileSync } from "node:fs";
import { startThingsBoardServer } from "@ivy/backends/testing";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { configFor, SENSOR } from "./support/config.ts";
import type { AnyConfig } from "./support/deployed-node.ts";
import { setUpRoot, stopped } from "./support/root-node.ts";
import { isSteady } from "./support/trial-field.ts";

// A trial takes its time.
vi.setConfig({ testTimeout: 240_000 });

const PATIENCE = { timeout: 60_000, interval: 100 };

const TOKEN = "access-token";

const UPDATER = {
  repository: "org/repo",
  provider: "github",
  provider_host: "github.com",
  spread_seconds: 86_400,
  trial_seconds: 30,
};

describe("a package on a node with a root", () => {
  it("waits for the turn of the node, is tried, and its page shows each of these", async () => {
    const server = await startThingsBoardServer({ token: TOKEN });
    onTestFinished(() => server[Symbol.asyncDispose]());
    const { host, port } = server;
    const base = configFor(server, {
      backend: {
        provider: "thingsboard",
        mqtt_connection: { host, port, client_id: SENSOR, username: TOKEN },
        max_parallel_messages: 50,
        max_drain_time: 1,
      },
    });
    const config: AnyConfig = {
      ...base,
      general: { ...base.general, software_version: "1.2.3" },
      updater: UPDATER,
    };
    const node = await setUpRoot(config, onTestFinished);
    await node.addVersion("4.5.6");
    const first = node.run();
    server.assignPackage({ kind: "sw", title: "ivy", version: "4.5.6", url: "https://example.org/ivy" });
    await server.until(() => server.valuesOf("sw_error").length > 0, 60_000);
    expect(server.valuesOf("sw_error")).toEqual([expect.stringMatching(/^DEFERRED: its turn among all/)]);
    expect(new Set(server.valuesOf("sw_state"))).toEqual(new Set(["DOWNLOADING"]));
    expect(isSteady(node)).toBe(true);
    await stopped(first);

    // Its turn has come meanwhile.
    const journal = JSON.parse(readFileSync(node.paths.journal, "utf8"));
    journal.changes[0].notBefore.ms = 0;
    writeFileSync(node.paths.journal, JSON.stringify(journal));
    const second = node.run();
    await server.until(() => server.valuesOf("sw_state").includes("UPDATING"), 60_000);
    await vi.waitFor(() => expect(isSteady(node)).toBe(false), PATIENCE);
    await server.until(() => server.valuesOf("current_sw_version").includes("4.5.6"), 60_000);
    await server.until(() => server.valuesOf("sw_state").includes("UPDATED"), 120_000);
    expect(isSteady(node)).toBe(true);
    // One may come twice: the process may end before it knows that the server has it.
    expect([...new Set(server.valuesOf("sw_state"))]).toEqual([
      "DOWNLOADING",
      "DOWNLOADED",
      "VERIFIED",
      "UPDATING",
      "UPDATED",
    ]);
    await stopped(second);
  });
});
