import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { withExamples } from "./examples.ts";
import { onlySubcommands } from "./only-subcommands.ts";
import { parseTime, refuseEmptyRange } from "./parse-time.ts";

const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "EXCEPTION"];

/** Of the configuration: the keys of logging_verbosity. */
const SINKS = ["file_archive", "console_prints", "message_sending"];

/** How many entries are shown where neither a number nor a time is given. */
const USUAL_COUNT = 100;

/** `logs` and `logs level`. */
export function addLogs(program: Command): void {
  const logs = withExamples(program.command("logs"), [
    ["logs -f", "the last entries, and what is added"],
    ["logs --level ERROR --since 2d", "errors of the last two days"],
    ["logs --origin system-checks --text load -n all", "all entries of a process with a text"],
    ["logs level file_archive DEBUG", "more in the files, while the agent runs"],
  ])
    .description("Show the log of all processes: the last entries, or those wanted. Times are local.")
    .option("-f, --follow", "go on with what is added")
    .option("-n, --lines <number>", `that many entries at most, the last ones; "all" for all`, parseCount)
    .option("--origin <name>", "of that process only: main, dummy-procedure, ...")
    .addOption(new Option("--level <level>", "of that level and above").choices(LEVELS))
    .option("--since <time>", "from then on: 2h, 3d, 2026-03-01, 2026-03-01T12:00", localTime)
    .option("--until <time>", "before then, a date without its day", localTime)
    .option("--text <text>", "that hold a text, in details and tracebacks too")
    .option("--json", "print a JSON object a line")
    .action(async ({ lines, ...options }) => {
      const { since, until } = options;
      if (since !== undefined && until !== undefined) refuseEmptyRange(since, until, ["--since", "--until"]);
      const count = lines ?? (options.since === undefined ? USUAL_COUNT : Number.POSITIVE_INFINITY);
      await (await import("./logs/show.ts")).showLogs({ ...options, count });
    });

  withExamples(logs.command("level"), [
    ["logs level console_prints DEBUG", "print everything"],
    ["logs level message_sending none", "send nothing to the server"],
  ])
    .description(
      "Change from which level on entries go somewhere, in all processes of the running agent, until they are started anew.",
    )
    .addArgument(new Argument("<sink>", "where entries go").choices(SINKS))
    .addArgument(new Argument("<level>", "from which level on").choices([...LEVELS, "none"]))
    .action(async (sink, level) => (await import("./logs/level.ts")).setLevel(sink, level));
  onlySubcommands(logs);
}

function parseCount(text: string): number {
  if (text === "all") return Number.POSITIVE_INFINITY;
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Write a number, or "all".');
}

function localTime(text: string): number {
  return parseTime(text, "local");
}
