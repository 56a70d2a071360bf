import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { EVER } from "./support/stored.ts";
import { configuration, connected, contents, setUp, startBackend } from "./support/thingsboard.ts";

const WAIT = { timeout: 20_000 };

/** A configuration as the user writes it at the server, with secrets in it. */
function written(config_revision: number) {
  const config = configuration({ host: "h", port: 1 });
  const updater = { repository: "a/b", provider: "github", provider_host: "h.org", access_token: "canary" };
  return { ...config, updater, general: { ...config.general, config_revision } };
}

describe("the shared attribute configuration", () => {
  it.each([
    ["an object", (value: object) => value],
    ["a text", (value: object) => JSON.stringify(value)],
  ])("is taken as %s, once, though it is told at every connect", async (_, form) => {
    const place = await setUp();
    const { server, configDir } = place;
    server.setShared({ configuration: form(written(8)) });
    const { state, messages, log } = startBackend(place);
    await vi.waitFor(() => expect(state.load().pending_configs).toHaveLength(1), WAIT);
    const [pending] = state.load().pending_configs;
    expect(pending).toMatchObject({ general: { config_revision: 8, software_version: "2.0.0" } });
    const file = join(configDir, pending?.file ?? "");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(written(8));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    // What is under way at a cut comes twice.
    await vi.waitFor(() => expect(messages.getNLatestMessages(1)).toEqual([]), WAIT);
    server.kick();
    await connected(server, 2);
    await vi.waitFor(() => expect(log()).toContain("The configuration of revision 8 is known already"), WAIT);
    expect(state.load().pending_configs).toHaveLength(1);
    const archived = [...messages.messagesOf(EVER)];
    expect(archived.map(({ message_body }) => "status" in message_body && message_body.status)).toEqual([
      "received",
    ]);
    await server.until(() => server.valuesOf("configuration").length === 1);
    expect(contents(place.dataDir) + JSON.stringify(server.publishes)).not.toContain("canary");
  });

  it("is taken when it is changed while the node is connected, on whatever connection; its deletion does no harm", async () => {
    const place = await setUp();
    const { server } = place;
    const { state } = startBackend(place);
    await connected(server);
    server.setShared({ configuration: written(8), other: 1 });
    await vi.waitFor(() => expect(state.load().pending_configs).toHaveLength(1), WAIT);
    server.kick();
    await connected(server, 2);
    server.deleteShared(["configuration"]);
    server.setShared({ configuration: written(9) });
    await vi.waitFor(() => expect(state.load().pending_configs).toHaveLength(2), WAIT);
    expect(server.unheard).toEqual([]);
  });

  it("that has changed while the node was away is taken at the next connect", async () => {
    const place = await setUp();
    const { server } = place;
    const { state } = startBackend(place);
    await connected(server);
    server.faults.down = true;
    server.kick();
    server.setShared({ configuration: written(8) });
    server.faults.down = false;
    await vi.waitFor(() => expect(state.load().pending_configs).toHaveLength(1), WAIT);
  });

  it("is asked for again where the server does not answer", async () => {
    const place = await setUp();
    const { server } = place;
    server.faults.silentAttributes = true;
    server.setShared({ configuration: written(8) });
    const { state, messages } = startBackend(place, { timing: { answerMs: 20, askAgainMs: 20 } });
    await messages.addMessage({ variant: "data", data: { a: 1 } });
    await server.until(() => server.valuesOf("a").length > 0);
    expect(state.load().pending_configs).toEqual([]);
    server.faults.silentAttributes = false;
    await vi.waitFor(() => expect(state.load().pending_configs).toHaveLength(1), WAIT);
  });

  it("that is none for any version is answered as rejected, with the reason", async () => {
    const place = await setUp();
    const { server } = place;
    server.setShared({ configuration: { general: { config_revision: 8, software_version: "two" } } });
    startBackend(place);
    await server.until(() => server.valuesOf("configuration").length >= 2);
    expect(server.valuesOf("configuration")).toMatchObject([
      { status: "received", config: { general: { config_revision: 8 } } },
      { status: "rejected", reason: expect.stringContaining("general.software_version: must be a version") },
    ]);
  });

  it.each([
    ["without a revision", { general: { software_version: "2.0.0" } }],
    ["with a revision that is none", { general: { config_revision: "8" } }],
    ["that is no object", "canary-password { not JSON"],
    ["that is a list", [1]],
  ])("%s is complained about once, and cannot be answered", async (_, configuration) => {
    const place = await setUp();
    const { server } = place;
    server.setShared({ configuration });
    const { log, state, messages } = startBackend(place);
    await connected(server);
    server.kick();
    await connected(server, 2);
    await messages.addMessage({ variant: "data", data: { a: 1 } });
    await server.until(() => server.valuesOf("a").length > 0);
    expect(log().match(/ERROR .*is not a configuration/g)).toHaveLength(1);
    expect(log()).toContain("general.config_revision");
    expect(log()).not.toContain("canary");
    expect(state.load()).toMatchObject({ pending_configs: [], handled_configs: [] });
    expect(server.valuesOf("configuration")).toEqual([]);
  });
});
