import { MessagingAgent } from "@ivy/messaging";
import { describe, expect, it, vi } from "vitest";
import { connected, contents, setUp, startBackend, TOKEN, turns } from "./support/thingsboard.ts";

const WAIT = { timeout: 20_000 };

describe("the ThingsBoard backend", () => {
  it("delivers data, logs and configuration states with the time at which they were added", async () => {
    const place = await setUp();
    const { server } = place;
    const offline = new MessagingAgent({ dataDir: place.dataDir });
    const before = Date.now();
    await offline.addMessage({ variant: "data", data: { temperature: 0.1 + 0.2, site: "roof" } });
    await offline.addMessage({ variant: "log", level: "ERROR", subject: "s", body: "b" });
    const config = { general: { config_revision: 7 } };
    await offline.addMessage({ variant: "config", status: "rejected", config, reason: "because" });
    await offline.teardown();
    const added = Date.now();
    const { messages } = startBackend(place);
    await server.until(() => server.valuesOf("temperature").length > 0);
    const sent = server.telemetry.filter(({ values }) => !("current_sw_title" in values));
    // Errors and answers go before data.
    expect(sent).toMatchObject([
      { values: { logging: { level: "ERROR", subject: "s", body: "b" } }, types: { logging: "json" } },
      { values: { configuration: { status: "rejected", config, reason: "because" } } },
      { values: { temperature: 0.3, site: "roof" }, types: { temperature: "double", site: "string" } },
    ]);
    for (const { ts } of sent) {
      expect(ts).toBeGreaterThanOrEqual(before);
      expect(ts).toBeLessThanOrEqual(added);
    }
    await vi.waitFor(() => expect(messages.getNLatestMessages(10)).toEqual([]), WAIT);
    expect([server.lost, server.ignored, server.unheard]).toEqual([[], [], []]);
  });

  it("sends what has waited in arrays, in its order", async () => {
    const place = await setUp();
    const offline = new MessagingAgent({ dataDir: place.dataDir });
    await offline.addMessages(turns(1_000));
    await offline.teardown();
    const { stop } = startBackend(place);
    await stop("stop");
    const { server } = place;
    expect(server.valuesOf("turn")).toEqual(turns(1_000).map(({ data }) => data.turn));
    const publishes = server.publishes.filter(({ payload }) => payload.includes('"turn"'));
    expect(publishes.length).toBeLessThan(100);
    expect(server.connections).toEqual([{ clean: true }]);
  });

  it("says at every connect who it is, and again when a process changes", async () => {
    const place = await setUp();
    const { server } = place;
    const { state } = startBackend(place, { timing: { attributesPauseMs: 1 } });
    await state.update((draft) => {
      draft.processes = { "dummy-procedure": { state: "running", restarts: 0 } };
    });
    const attributes = { version: "2.0.0", revision: 7, uptime: 4_711 };
    await server.until(() => "dummy-procedure" in Object(server.clientAttributes["processes"]));
    expect(server.clientAttributes).toEqual({ ...attributes, processes: { "dummy-procedure": "running" } });
    await state.update((draft) => {
      draft.processes = { "dummy-procedure": { state: "pausing", restarts: 1 } };
    });
    await server.until(() => JSON.stringify(server.clientAttributes).includes("pausing"));
    const published = () =>
      server.publishes.filter(({ topic }) => topic === "v1/devices/me/attributes").length;
    const before = published();
    await state.update((draft) => {
      draft.system.last_5_min_load = 12;
    });
    server.kick();
    await connected(server, 2);
    expect(published()).toBe(before + 1);
    expect(server.telemetry.filter(({ values }) => "current_sw_title" in values)).toMatchObject([
      { values: { current_sw_title: "ivy", current_sw_version: "2.0.0" } },
      { values: { current_sw_title: "ivy", current_sw_version: "2.0.0" } },
    ]);
  });

  it("lets no secret out", async () => {
    const place = await setUp();
    const { server, dataDir } = place;
    const { messages, stop } = startBackend(place);
    await messages.addMessage({ variant: "data", data: { a: 1 } });
    await server.until(() => server.valuesOf("a").length > 0);
    await stop();
    expect(contents(dataDir) + JSON.stringify(server.publishes)).not.toContain(TOKEN);
  });
});
