import type { AgentIdentity, MessageCounts } from "@ivy/lifecycle";
import { readNewestTime } from "@ivy/messaging";
import { rootPaths } from "@ivy/updater";
import type { AgentConfig } from "./agent-config.ts";
import { NAME, ROOT_DIR } from "./constants.ts";
import { listenForControl } from "./control/listen.ts";
import type { ControlRequest } from "./control/request.ts";
import type { Fleet } from "./fleet.ts";
import { Counters } from "./metrics/counters.ts";
import { metricFamilies } from "./metrics/families.ts";
import { openMetrics } from "./metrics/open-metrics.ts";
import { serveMetrics } from "./metrics/serve.ts";
import { Pulse } from "./pulse.ts";
import { ServiceManager } from "./service-manager.ts";
import { collectStatus } from "./status/collect.ts";
import type { LiveStatus } from "./status/live.ts";
import { secondsToStop } from "./stop-time.ts";
import type { Tools } from "./tools.ts";

export interface OperationsOptions {
  dataDir: string;
  configFile: string;
  lockFile: string;
  fleet: Fleet;
  agent: AgentIdentity;
}

/** What the agent runs with. */
interface InForce {
  config: AgentConfig;
  tools: Tools;
}

/** What lets others watch the agent and have a say while it runs, through all the configurations that it runs with. */
export class Operations implements AsyncDisposable {
  /** That of the main loop. */
  readonly pulse = new Pulse();
  readonly #options: OperationsOptions;
  readonly #resources = new AsyncDisposableStack();
  readonly #counters = new Counters();
  #serviceManager: ServiceManager | undefined;
  #inForce: InForce | undefined;
  #metrics: { listen: string; server: Promise<Disposable> } | undefined;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** A configuration is in force, and its processes have been started. */
  async use(config: AgentConfig, tools: Tools): Promise<void> {
    const isFirst = this.#inForce === undefined;
    if (this.#inForce !== undefined) this.#countOwn(this.#inForce);
    this.#inForce = { config, tools };
    if (isFirst) await this.#begin();
    this.changed();
    await this.#serveMetrics(this.#inForce);
  }

  /** Something about a process has changed. */
  changed(): void {
    this.#serviceManager?.changed();
  }

  /** A process has told what it has done with messages so far. */
  count(counts: MessageCounts, life: object): void {
    this.#counters.take(life, counts);
  }

  /**
   * The agent is about to end.
   *
   * @param isAsked - by somebody from outside; otherwise another one takes its place
   */
  async stopping(isAsked: boolean): Promise<void> {
    if (isAsked) this.#serviceManager?.stopping();
    (await this.#metrics?.server)?.[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]();
  }

  async #begin(): Promise<void> {
    this.#serviceManager = this.#resources.use(
      new ServiceManager({
        read: () => this.#read(),
        mainLoopHangs: () => this.pulse.isOverdue,
      }),
    );
    this.#resources.use(
      await listenForControl({
        dataDir: this.#options.dataDir,
        perform: (request) => this.#perform(request),
        warn: (text) => this.#inForce?.tools.logger.warning(text),
      }),
    );
  }

  #perform(request: ControlRequest): object {
    if (request.kind === "status") return this.#read();
    if (this.#inForce === undefined) throw new Error("No configuration is in force yet");
    this.#options.fleet.setLogLevel(request, "The command line", this.#inForce.tools);
    return {};
  }

  #read(): LiveStatus {
    const { fleet, agent } = this.#options;
    return {
      pid: process.pid,
      version: agent.version,
      revision: this.#inForce?.config.general.config_revision ?? -1,
      startedAt: agent.startedAt,
      safeMode: process.env["IVY_SAFE_MODE"] === "1",
      secondsToStop: secondsToStop(this.#inForce?.config),
      processes: fleet.statuses(),
    };
  }

  async #serveMetrics({ config, tools }: InForce): Promise<void> {
    const listen = config.metrics?.listen;
    if (listen === this.#metrics?.listen) return;
    (await this.#metrics?.server)?.[Symbol.dispose]();
    this.#metrics = undefined;
    if (listen === undefined) return;
    const { dataDir } = this.#options;
    const warn = (text: string) => tools.logger.warning(text);
    const server = serveMetrics({ listen, dataDir, read: () => this.#readMetrics(), warn });
    this.#metrics = { listen, server };
    await server;
  }

  async #readMetrics(): Promise<string> {
    const { dataDir, agent, fleet: _, ...files } = this.#options;
    if (this.#inForce !== undefined) this.#countOwn(this.#inForce);
    const place = { ...files, dataDir, root: rootPaths(ROOT_DIR, NAME), version: agent.version };
    const report = await collectStatus(place, {
      ask: async () => this.#read(),
      // Not as `status` does it: two libraries in one process that open the same database take each other's locks away.
      look: () => ({ ...this.#statistics(), newest: readNewestTime(dataDir) }),
    });
    return openMetrics(metricFamilies(report, this.#counters.total));
  }

  #statistics() {
    if (this.#inForce === undefined) throw new Error("No configuration is in force yet");
    return this.#inForce.tools.messages.statistics();
  }

  /** The main process stores messages too. */
  #countOwn({ tools }: InForce): void {
    const { messages } = tools;
    const { messages: stored, bytes: storedBytes } = messages.stored;
    this.#counters.take(messages, { stored, storedBytes, acknowledged: 0 });
  }
}
