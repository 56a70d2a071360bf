import { existsSync, mkdtempSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { readStatistics } from "@ivy/messaging";
import { State } from "@ivy/types";
import { age } from "../../status/units.ts";
import { type Check, type Finding, failure, ok, type Patient, skipped, warning } from "../check.ts";
import { agentRuns } from "./agent.ts";

/** Messages that wait for longer are a backlog, in seconds. */
const BACKLOG_SECONDS = 3_600;

/** No data for this many of its intervals is too long, and never less than this many seconds. */
const SILENCE = { intervals: 10, seconds: 300 };

const dataFolder: Check = { name: "data-folder", look: ({ dataDir }) => canWrite(dataDir) };

const logFolder: Check = { name: "log-folder", look: ({ dataDir }) => canWrite(join(dataDir, "logs")) };

function canWrite(folder: string): Finding {
  if (!existsSync(folder)) return skipped(`${folder} is not there yet`);
  try {
    rmdirSync(mkdtempSync(join(folder, ".doctor-")));
    return ok(`${folder} can be written to`);
  } catch (error) {
    return failure(
      `${folder} cannot be written to: ${(error as Error).message}`,
      `give it to the user of the agent: chown -R USER ${folder}`,
    );
  }
}

const state: Check = {
  name: "state",
  look: ({ dataDir }) => {
    const file = join(dataDir, "state.json");
    if (!existsSync(file)) return skipped("there is no state yet");
    try {
      State.parse(JSON.parse(readFileSync(file, "utf8")));
      return ok("the state can be read");
    } catch {
      return warning(`${file} cannot be read`, "`restart`: the agent keeps it aside and begins a new one");
    }
  },
};

const queue: Check = {
  name: "queue",
  look: ({ dataDir }) => {
    try {
      readStatistics(dataDir);
      return ok("the queue can be read");
    } catch (error) {
      return failure(
        `the queue cannot be read: ${(error as Error).message}`,
        "`restart`: the agent rebuilds it from the log of messages",
      );
    }
  },
};

const deadLetters: Check = {
  name: "dead-letters",
  look: ({ status }) => {
    const dead = status.queue?.dead ?? 0;
    return dead === 0
      ? ok("there are no dead letters")
      : warning(
          `${dead} messages were set aside, the server does not take them`,
          "`queue dead` tells why; `queue requeue all` sends them again",
        );
  },
};

const backlog: Check = {
  name: "backlog",
  look: ({ status, config }) => {
    const waiting = status.queue?.oldest_age_seconds ?? null;
    if (!config?.backend) return skipped("no backend is configured: nothing is sent");
    if (waiting === null || waiting < BACKLOG_SECONDS) return ok("no message waits for long");
    return warning(
      `${status.queue?.messages} messages wait, the oldest for ${age(waiting)}`,
      "see the checks of the broker; they are sent when it is there",
    );
  },
};

const lastData: Check = {
  name: "last-data-point",
  look: (patient) => {
    if (!agentRuns(patient)) return skipped("the agent does not run");
    const silence = patient.status.newest_message_age_seconds;
    const uptime = patient.status.main?.uptime_seconds ?? 0;
    const patience = longestPause(patient);
    if (silence === null && uptime < patience) return skipped("the agent has just been started");
    const text =
      silence === null ? "nothing was ever measured" : `the last data point is ${age(silence)} old`;
    if (silence !== null && silence < patience) return ok(text);
    return failure(
      text,
      "`run PROCEDURE --once` shows what a procedure measures, `logs --level ERROR` why not",
    );
  },
};

/** In seconds, by the procedure that measures most often. */
function longestPause({ status }: Patient): number {
  const intervals = Object.values(status.processes).flatMap(({ interval_seconds }) => interval_seconds ?? []);
  const shortest = intervals.length === 0 ? 0 : Math.min(...intervals);
  return Math.max(SILENCE.seconds, SILENCE.intervals * shortest);
}

export const DATA_CHECKS = [dataFolder, logFolder, state, queue, deadLetters, backlog, lastData];
