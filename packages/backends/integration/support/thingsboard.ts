import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Logger } from "@ivy/logger";
import { MessagingAgent } from "@ivy/messaging";
import { forward } from "@ivy/messaging/forwarder";
import { StateInterface } from "@ivy/state";
import type { Config } from "@ivy/types";
import { onTestFinished, vi } from "vitest";
import {
  startThingsBoardServer,
  type ThingsBoardServer,
  type ThingsBoardServerOptions,
} from "../../src/testing.ts";
import { thingsBoardProtocol } from "../../src/thingsboard/protocol.ts";
import { TIMING, type Timing } from "../../src/thingsboard/timing.ts";
import { type InstallPackage, run, type ThingsBoardNode } from "../../src/thingsboard.ts";
import { logOf } from "./stored.ts";

export const TOKEN = "canary-token";

export function configuration({ host, port }: { host: string; port: number }): Config {
  return {
    general: { config_revision: 7, software_version: "2.0.0", system_identifier: "node-7" },
    logging_verbosity: { file_archive: "DEBUG", console_prints: null, message_sending: null },
    backend: {
      provider: "thingsboard",
      mqtt_connection: { host, port, client_id: "node-7", username: TOKEN },
      max_parallel_messages: 50,
      max_backlog_rate: 100_000,
      max_drain_time: 50,
    },
    dummy_procedure: { seconds_between_datapoints: 10 },
    system_checks: { seconds_between_checks: 120 },
  };
}

/** A server, and folders of a node. */
export async function setUp(options: ThingsBoardServerOptions = {}) {
  const server = await startThingsBoardServer({ token: TOKEN, ...options });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const root = mkdtempSync(join(tmpdir(), "ivy-thingsboard-"));
  const [dataDir, configDir] = [join(root, "data"), join(root, "config")];
  for (const folder of [dataDir, configDir]) mkdirSync(folder);
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return { server, dataDir, configDir };
}

type Place = Awaited<ReturnType<typeof setUp>>;

export interface NodeOptions {
  /** Waits that are shorter than in the field; the real backend's if left out. */
  timing?: Partial<Timing>;
  installPackage?: InstallPackage;
  version?: string;
}

/** Starts the backend in this process, as the agent starts it in one of its own. */
export function startBackend({ server, dataDir, configDir }: Place, options: NodeOptions = {}) {
  const ended = new AbortController();
  const config = configuration(server);
  const messages = new MessagingAgent({ dataDir, revision: 7 });
  const logsDir = join(dataDir, "logs");
  const logger = new Logger({ origin: "thingsboard", verbosity: config.logging_verbosity, logsDir });
  const state = new StateInterface({ dataDir });
  const agent = {
    name: "ivy",
    version: options.version ?? "2.0.0",
    uptime: () => 4_711.5,
    requestRestart: vi.fn(),
    setLogLevel: vi.fn(),
    reportLink: vi.fn(),
    beginsAtOnce: false,
    reportProgress: vi.fn(),
  };
  const installPackage = vi.fn<InstallPackage>(options.installPackage ?? refuse);
  const node: ThingsBoardNode = { logger, messages, state, dataDir, configDir, agent, installPackage };
  const running = options.timing
    ? runWith({ ...TIMING, ...options.timing }, config, node, ended.signal)
    : run(config, "thingsboard", ended.signal, node);
  const stop = async (reason: "stop" | "restart" = "stop") => {
    ended.abort(reason);
    await running;
    await messages.teardown();
  };
  onTestFinished(() => stop("restart"));
  return { messages, state, agent, installPackage, stop, log: () => logOf(dataDir) };
}

const refuse: InstallPackage = async () => ({
  outcome: "refused",
  code: "VERSION_CHANGE_UNSUPPORTED",
  reason: "not yet",
});

/** The same as `run`, with other waits. */
async function runWith(timing: Timing, config: Config, node: ThingsBoardNode, teardown: AbortSignal) {
  const protocol = thingsBoardProtocol({ node, config, timing });
  const { host, port } = config.backend?.mqtt_connection ?? { host: "", port: 0 };
  await forward({
    agent: node.messages,
    protocol,
    broker: { host, port, clientId: "node-7", username: TOKEN },
    maxParallelMessages: 50,
    logger: node.logger,
    teardown,
    drainSeconds: () => (teardown.reason === "restart" ? 0 : 50),
  });
  await protocol.settled();
}

/** Data of one turn each, to be counted and put in order. */
export const turns = (count: number) =>
  Array.from({ length: count }, (_, turn) => ({ variant: "data" as const, data: { turn } }));

/** The turns that have arrived, each where it came first. */
export function uniqueTurns(server: ThingsBoardServer): number[] {
  return [...new Set(server.valuesOf("turn") as number[])];
}

/** Resolves once the node has connected, subscribed and asked for everything. */
export async function connected(server: ThingsBoardServer, times = 1): Promise<void> {
  await server.until(() => server.valuesOf("current_sw_version").length >= times);
}

/** Everything below a folder, as text. */
export function contents(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("");
}
