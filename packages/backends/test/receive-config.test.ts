import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessagingAgent } from "@ivy/messaging";
import { StateInterface } from "@ivy/state";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type ConfigReceiver, receiveConfig } from "../src/receive-config.ts";

const MINUTE_MS = 60_000;

function setUp() {
  const root = mkdtempSync(join(tmpdir(), "ivy-receive-config-"));
  const [dataDir, configDir] = [join(root, "data"), join(root, "config")];
  mkdirSync(configDir);
  const messages = new MessagingAgent({ dataDir });
  onTestFinished(async () => {
    await messages.teardown();
    rmSync(root, { recursive: true });
  });
  const logger = { debug: vi.fn(), info: vi.fn(), warning: vi.fn(), error: vi.fn() };
  const state = new StateInterface({ dataDir });
  const node = { messages, state, configDir, logger: logger as Partial<ConfigReceiver["logger"]> };
  const receive = (revision: number, software_version = "2.0.0") =>
    receiveConfig({ general: { software_version } }, revision, node as ConfigReceiver);
  const answers = () =>
    messages
      .getNLatestMessages(100)
      .map(({ message_body }) => "status" in message_body && message_body.status);
  return { configDir, logger, state, receive, answers };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
});

describe("a configuration that cannot be taken when it arrives", () => {
  it("is taken as soon as it can be, answered once, and complained about once", async () => {
    const { configDir, logger, state, receive, answers } = setUp();
    rmSync(configDir, { recursive: true });
    await receive(8);
    for (let minute = 0; minute < 5; minute++) await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(state.load().pending_configs).toEqual([]);
    expect(logger.error.mock.calls).toEqual([
      [expect.stringContaining("revision 8 could not be taken"), expect.stringContaining("ENOENT")],
    ]);
    mkdirSync(configDir);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    await vi.waitFor(() => expect(state.load().pending_configs).toHaveLength(1), 20_000);
    expect(readdirSync(configDir)).toEqual([state.load().pending_configs[0]?.file]);
    expect(answers()).toEqual(["received"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leaves no file that the state does not name: the main process removes such files", async () => {
    const { configDir, state, receive } = setUp();
    const held = vi.spyOn(state, "update").mockRejectedValue(new Error("another process holds the lock"));
    await receive(8);
    expect(readdirSync(configDir)).toEqual([]);
    held.mockRestore();
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    await vi.waitFor(() => expect(readdirSync(configDir)).toHaveLength(1), 20_000);
  });

  it("gives way to one that arrives after it", async () => {
    const { configDir, state, receive } = setUp();
    rmSync(configDir, { recursive: true });
    await receive(8);
    mkdirSync(configDir);
    await receive(9);
    for (let minute = 0; minute < 3; minute++) await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(state.load().pending_configs).toMatchObject([{ general: { config_revision: 9 } }]);
  });

  it("is rejected once, also where that could not be noted at first", async () => {
    const { state, receive, answers } = setUp();
    vi.spyOn(state, "update").mockRejectedValueOnce(new Error("state.lock is held by another process"));
    await receive(8, "two");
    expect(state.load().handled_configs).toEqual([]);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    await vi.waitFor(
      () => expect(state.load().handled_configs).toMatchObject([{ config_revision: 8, outcome: "rejected" }]),
      20_000,
    );
    expect(answers()).toEqual(["received", "rejected"]);
  });
});
