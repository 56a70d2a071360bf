import { age } from "../../status/units.ts";
import { type Check, failure, ok, type Patient, skipped, warning } from "../check.ts";

/** What this software is built for. */
const LEAST_NODE = 24;

const runtime: Check = {
  name: "runtime",
  look: ({ system: { nodeVersion } }) =>
    Number(nodeVersion.split(".")[0]) >= LEAST_NODE
      ? ok(`Node.js ${nodeVersion}`)
      : failure(
          `Node.js ${nodeVersion} is too old, ${LEAST_NODE} is needed`,
          "start the command line with node_modules/.bin/node",
        ),
};

const nativeModules: Check = {
  name: "native-modules",
  look: ({ system }) => {
    try {
      system.trySqlite();
      return ok("SQLite works");
    } catch (error) {
      const [text] = (error as Error).message.split("\n");
      return failure(
        `better-sqlite3 cannot be loaded: ${text}`,
        "install the dependencies anew with this Node.js",
      );
    }
  },
};

const agent: Check = {
  name: "agent",
  look: ({ status: { main } }) =>
    main === null
      ? failure("the agent does not run", "start it: `start`; `logs --level ERROR` tells why it has ended")
      : ok(`the agent runs with PID ${main.pid}, which holds the lock, for ${age(main.uptime_seconds)}`),
};

const mainProcess: Check = {
  name: "main-process",
  look: ({ status: { main } }) => {
    if (main === null) return skipped("the agent does not run");
    if (!main.answers)
      return failure(
        "the main process does not answer: it hangs or is stopped",
        "`restart`, and send `support` to its developers",
      );
    return main.safe_mode
      ? failure("the agent runs in safe mode: nothing else has worked", "`logs --level WARNING` tells why")
      : ok("the main process answers");
  },
};

const processes: Check = {
  name: "processes",
  look: ({ status }) => {
    if (status.main === null) return skipped("the agent does not run");
    const names = Object.keys(status.processes);
    const ill = status.problems.filter((problem) => names.some((name) => problem.startsWith(`${name} `)));
    return ill.length === 0
      ? ok(`${names.length} processes run`)
      : failure(ill.join("; "), "`logs --level ERROR --origin NAME` tells more");
  },
};

const startAtBoot: Check = {
  name: "start-at-boot",
  look: async ({ system, projectDir, root }) => {
    const texts = await system.startersOfPrograms();
    if (texts === undefined) return skipped("there is neither systemd nor cron here");
    return texts.some((text) => [projectDir, root].some((folder) => text.includes(folder)))
      ? ok("the agent is started after a power failure")
      : warning(
          "nothing starts the agent after a power failure",
          "add the line of the README to `crontab -e`",
        );
  },
};

/** Whether the agent is there at all, for checks that say nothing without it. */
export function agentRuns({ status }: Patient): boolean {
  return status.main !== null;
}

export const AGENT_CHECKS = [runtime, nativeModules, agent, mainProcess, processes, startAtBoot];
