import type { AgentIdentity } from "@ivy/lifecycle";
import type { AgentConfig } from "./agent-config.ts";
import type { Fleet } from "./fleet.ts";
import { Pulse } from "./pulse.ts";
import { ServiceManager } from "./service-manager.ts";
import { type LiveStatus, serveLiveStatus } from "./status/live.ts";
import type { Tools } from "./tools.ts";

export interface OperationsOptions {
  dataDir: string;
  fleet: Fleet;
  agent: AgentIdentity;
}

/** What lets others watch the agent while it runs, through all the configurations that it runs with. */
export class Operations implements Disposable {
  readonly #options: OperationsOptions;
  /** That of the main loop. */
  readonly pulse = new Pulse();
  readonly #resources = new DisposableStack();
  #serviceManager: ServiceManager | undefined;
  #config: AgentConfig | undefined;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** A configuration is in force, and its processes have been started. */
  use(config: AgentConfig, { logger }: Pick<Tools, "logger">): void {
    const isFirst = this.#config === undefined;
    this.#config = config;
    if (!isFirst) return;
    const warn = (text: string) => logger.warning(text);
    const read = () => this.#read();
    this.#serviceManager = this.#resources.use(
      new ServiceManager({
        read,
        mainLoopHangs: () => this.pulse.isOverdue,
        hasBackend: () => Boolean(this.#config?.backend),
      }),
    );
    this.#resources.use(serveLiveStatus(this.#options.dataDir, read, warn));
  }

  /** Something about a process has changed. */
  changed(): void {
    this.#serviceManager?.changed();
  }

  /** The agent is to end. */
  stopping(): void {
    this.#serviceManager?.stopping();
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }

  #read(): LiveStatus {
    const { fleet, agent } = this.#options;
    return {
      version: agent.version,
      revision: this.#config?.general.config_revision ?? -1,
      startedAt: agent.startedAt,
      safeMode: process.env["IVY_SAFE_MODE"] === "1",
      processes: fleet.statuses(),
    };
  }
}
