import { join } from "node:path";
import {
  type AgentIdentity,
  type AgentRequest,
  type LevelChange,
  LifecycleManager,
  type MessageCounts,
  systemMonotonicMs,
  type TeardownReason,
} from "@ivy/lifecycle";
import { type ProcessState, secretsOf } from "@ivy/types";
import { AgentConfig } from "./agent-config.ts";
import { ProcessStates } from "./process-states.ts";
import { type HostProcess, hostsOf, processesOf } from "./processes.ts";
import type { LiveProcess } from "./status/live.ts";
import { SECONDS_AFTER_DRAIN } from "./stop-time.ts";
import { patienceOf, type Tools, verbosityOf } from "./tools.ts";

export interface FleetOptions {
  dataDir: string;
  configDir: string;
  agent: AgentIdentity;
  /** Only the backend is to run. */
  safeMode: boolean;
  /** Told that something about a process has changed. */
  onChange?: () => void;
  /** Told now and then what a process, which an object stands for, has done with messages. */
  onCounts?: (counts: MessageCounts, life: object) => void;
}

/** What the processes of one configuration work with. */
interface Round {
  config: AgentConfig;
  tools: Tools;
  states: ProcessStates;
  means: RoundMeans;
}

export interface RoundMeans {
  /** Called when one of the processes asks for a restart of all. */
  restart: () => void;
  /** Whether what runs has yet to prove that it works: its procedures are asked then whether they are healthy. */
  isOnTrial: () => boolean;
}

/** The processes of the agent, through all the configurations that it runs with. */
export class Fleet {
  readonly #options: FleetOptions;
  #managers: LifecycleManager<AgentConfig>[] = [];
  #states: ProcessStates | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /**
   * Starts the processes that a configuration asks for. What runs with another configuration is torn down first; none
   * waits for the teardown of any but those that run what it will.
   */
  async use(config: AgentConfig, tools: Tools, means: RoundMeans): Promise<void> {
    const before = this.#managers;
    const states = new ProcessStates({ ...tools, read: () => this.#read() });
    const round = { config, tools, states, means };
    const processes = processesOf(config, this.#options.safeMode);
    this.#managers = hostsOf(config, processes).map((host) => this.#manage(host, round));
    this.#states = states;
    const teardowns = before.map((manager) => ({
      members: manager.members,
      gone: manager.teardown("restart"),
    }));
    await Promise.all([
      ...teardowns.map(({ gone }) => gone),
      // The backend first: it takes longest to be ready.
      ...this.#managers.toReversed().map(async (manager) => {
        const own = teardowns.filter(({ members }) => members.some((name) => manager.members.includes(name)));
        await Promise.all(own.map(({ gone }) => gone));
        manager.startProcedure();
      }),
    ]);
  }

  /** Ends all processes; resolves once they are gone. */
  async teardown(reason: TeardownReason): Promise<void> {
    await Promise.all(this.#managers.map((manager) => manager.teardown(reason)));
    this.#states?.changed();
    await this.#states?.settled();
  }

  /**
   * What has not come to its loop, in a process that has been running for a time without an end, or does not call itself
   * healthy, in words; the time is in seconds. It may be long until a loop first comes round.
   */
  unsteady(seconds: number): string[] {
    const latest = systemMonotonicMs() - seconds * 1_000;
    return this.#managers.flatMap((manager) => {
      const names = manager.members.map((name) => `"${name}"`);
      if (!manager.procedureIsRunning()) return names.map((name) => `${name} is not started yet`);
      const { startedAt, restarts } = manager.checkProcedureStatus();
      if (startedAt === undefined || startedAt > latest)
        return names.map(
          (name) => `${name} has not been running for ${seconds} s (started again ${restarts} times)`,
        );
      return manager.members.flatMap((name) => {
        const { progress, lacks } = manager.checkProcedureStatus(name);
        if (progress === undefined) return [`"${name}" has not come to its loop`];
        return lacks === undefined ? [] : [`"${name}" is not healthy: ${lacks}`];
      });
    });
  }

  /** Whether the server of each backend has taken a message over the connection that stands. */
  isServed(): boolean {
    return this.#managers
      .filter(({ variant }) => variant === "backend")
      .every((manager) => {
        const link = manager.procedureIsRunning() ? manager.checkProcedureStatus().link : undefined;
        return link?.connected === true && (link.lastAcknowledged ?? -1) >= link.since;
      });
  }

  #manage({ name, members, entrypoint }: HostProcess, round: Round): LifecycleManager<AgentConfig> {
    const { config, tools, states, means } = round;
    const { dataDir, configDir, agent } = this.#options;
    const { variant } = entrypoint;
    const drain = config.backend?.max_drain_time ?? 0;
    return new LifecycleManager({
      config,
      entrypoint,
      name,
      members,
      variant,
      logger: tools.logger,
      patience: patienceOf(config),
      isOnTrial: means.isOnTrial,
      ...(variant === "backend" ? { secondsToKill: drain + SECONDS_AFTER_DRAIN } : {}),
      settings: {
        dataDir,
        configDir,
        logsDir: join(dataDir, "logs"),
        verbosity: verbosityOf(config),
        revision: config.general.config_revision,
        secrets: secretsOf(config, AgentConfig),
        agent,
      },
      onRequest: (request, asker) => this.#perform(request, asker, round),
      onCounts: (counts, life) => this.#options.onCounts?.(counts, life),
      onChange: () => {
        states.changed();
        this.#options.onChange?.();
      },
    });
  }

  /** Changes from which level on a sink gets entries, in all processes, until they are started anew. */
  setLogLevel({ sink, level }: LevelChange, asker: string, { logger }: Pick<Tools, "logger">): void {
    logger.info(`${asker} sets the level of ${sink} to ${level}, until the processes are started anew`);
    logger.setLevel(sink, level);
    for (const manager of this.#managers) manager.setLogLevel({ sink, level });
  }

  #perform(request: AgentRequest, asker: string, { tools, means }: Round): void {
    if (request.kind === "restart") {
      tools.logger.info(`"${asker}" asks for a restart of all processes`);
      means.restart();
    } else this.setLogLevel(request, `"${asker}"`, tools);
  }

  /** What is known of everything that has been started, by its name; what shares a process has its pid in common. */
  statuses(): Record<string, LiveProcess> {
    const started = this.#managers.filter((manager) => manager.procedureIsRunning());
    return Object.fromEntries(
      started.flatMap((manager) =>
        manager.members.map((name) => {
          const { lastEnd: _, ...status } = manager.checkProcedureStatus(name);
          return [name, { ...status, variant: manager.variant }];
        }),
      ),
    );
  }

  #read(): Record<string, ProcessState> {
    return Object.fromEntries(
      Object.entries(this.statuses()).map(([name, { state, restarts, pid, crashLoop, lastError }]) => {
        const trouble = lastError === undefined ? {} : { crash_loop: crashLoop, last_error: lastError };
        return [name, { state, restarts, ...(pid === undefined ? {} : { pid }), ...trouble }];
      }),
    );
  }
}
