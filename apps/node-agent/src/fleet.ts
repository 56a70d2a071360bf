import { join } from "node:path";
import { LifecycleManager } from "@ivy/lifecycle";
import type { Logger } from "@ivy/logger";
import { secretsOf } from "@ivy/types";
import { AgentConfig } from "./agent-config.ts";
import { type AgentProcess, processesOf } from "./processes.ts";
import { verbosityOf } from "./tools.ts";

/** A backend is killed this long after the time that it has for draining, in seconds. */
const SECONDS_AFTER_DRAIN = 15;

export interface FleetFolders {
  dataDir: string;
  configDir: string;
}

/** The processes of the agent, through all the configurations that it runs with. */
export class Fleet {
  readonly #folders: FleetFolders;
  #managers = new Map<string, LifecycleManager<AgentConfig>>();

  constructor(folders: FleetFolders) {
    this.#folders = folders;
  }

  /**
   * Starts the processes that a configuration asks for. One that runs with another configuration is torn down first;
   * none waits for the teardown of any but its own predecessor.
   */
  async use(config: AgentConfig, logger: Logger): Promise<void> {
    const before = this.#managers;
    const wanted = processesOf(config).map((process) => this.#manage(process, config, logger));
    this.#managers = new Map(wanted);
    const gone = [...before].filter(([name]) => !this.#managers.has(name));
    await Promise.all([
      ...gone.map(([, manager]) => manager.teardown("restart")),
      ...wanted.map(async ([name, manager]) => {
        await before.get(name)?.teardown("restart");
        await manager.startProcedure();
      }),
    ]);
  }

  /** Ends all processes; resolves once they are gone. */
  async teardown(): Promise<void> {
    await Promise.all([...this.#managers.values()].map((manager) => manager.teardown("stop")));
  }

  #manage(
    { name, entrypoint }: AgentProcess,
    config: AgentConfig,
    logger: Logger,
  ): [string, LifecycleManager<AgentConfig>] {
    const { variant } = entrypoint;
    const drain = config.backend?.max_drain_time ?? 0;
    const manager = new LifecycleManager({
      config,
      entrypoint,
      name,
      variant,
      logger,
      ...(variant === "backend" ? { secondsToKill: drain + SECONDS_AFTER_DRAIN } : {}),
      settings: {
        ...this.#folders,
        logsDir: join(this.#folders.dataDir, "logs"),
        verbosity: verbosityOf(config),
        revision: config.general.config_revision,
        secrets: secretsOf(config, AgentConfig),
      },
    });
    return [name, manager];
  }
}
