import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Logger } from "@ivy/logger";
import type { MessagingAgent } from "@ivy/messaging";
import { proveItself, readGeneration, type Site, selfCheck, type Updater } from "@ivy/updater";
import type { AgentConfig } from "./agent-config.ts";
import type { Fleet } from "./fleet.ts";
import { excessOf } from "./footprint.ts";

/** After a failure, in milliseconds. */
const PAUSE_MS = 5_000;

export interface Trial {
  updater: Updater<AgentConfig>;
  fleet: Fleet;
  /** Stores that the agent has started, unless it has been; may fail. */
  record: () => Promise<void>;
  site: Site | undefined;
  messages: Pick<MessagingAgent, "addMessage">;
  logger: Logger;
  signal: AbortSignal;
}

/** Ends the trial of the generation that runs, once it has proven that it works; does nothing where there is none. */
export async function endTrial(trial: Trial): Promise<void> {
  const { updater, fleet, site, logger, signal } = trial;
  if (!updater.isOnTrial || site?.attempt === undefined) return;
  const { paths, attempt, generation } = site;
  const upSeconds = readGeneration(paths, generation)?.upSeconds ?? 0;
  let canStore = false;
  const storing = storeStart(trial, generation).then(() => {
    canStore = true;
  });
  while (updater.isOnTrial && !signal.aborted) {
    try {
      const proven = await proveItself({
        attempt,
        missing: () => [...(canStore ? [] : ["messages cannot be stored"]), ...fleet.unsteady(upSeconds)],
        missingAtLast: () => [...selfCheck(site), ...excessOf(process.pid)],
        isServed: () => fleet.isServed(),
        brokerAnswers: (ended) => probe(join(paths.lastGood, "config.json"), ended),
        unproven: tellUnproven,
        logger,
        signal,
      });
      if (proven) await updater.commit();
    } catch (error) {
      // The launcher decides when its time is over; until then a disk that is full may have room again.
      logger.exception(error, { label: "The trial could not be ended well, and goes on" });
      await pause(signal);
    }
  }
  await storing;
}

/**
 * Stores what the server is to know of the start; resolves when it is stored, or the signal aborts. A connection proves
 * little: the server has to take a message, and it may be hours until there is another one.
 */
async function storeStart({ record, messages, logger, signal }: Trial, generation: string): Promise<void> {
  const subject = "A generation is on trial";
  while (!signal.aborted) {
    try {
      await record();
      await messages.addMessage({ variant: "log", level: "INFO", subject, body: generation });
      return;
    } catch (error) {
      logger.exception(error, { label: "The start of the trial cannot be told, and is tried again" });
      await pause(signal);
    }
  }
}

/** Where the launcher takes the end of the last attempt's log from, which the server is told as the reason. */
function tellUnproven(lacks: readonly string[]): void {
  process.stderr.write(`Not proven until now: ${lacks.join("; ")}\n`);
}

async function pause(signal: AbortSignal): Promise<void> {
  await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
}

/** Whether the broker of a configuration answers; asked by a process of its own, which takes the MQTT client along when it ends. */
async function probe(configFile: string, signal: AbortSignal): Promise<boolean> {
  const program = fileURLToPath(new URL("./probe-broker.js", import.meta.url));
  const child = spawn(process.execPath, [program, configFile], { stdio: "ignore", signal });
  // Given up: nobody waits for the answer any more.
  child.on("error", () => undefined);
  const [code] = await once(child, "close");
  return code === 0;
}
