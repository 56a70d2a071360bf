import { type Command, Option } from "commander";
import { withExamples } from "./examples.ts";
import { parseTime, refuseEmptyRange } from "./parse-time.ts";

/** `export`: the messages of a time range. */
export function addExport(program: Command): void {
  withExamples(program.command("export"), [
    ["export --from 2026-03-01 --to 2026-03-02 > day.csv", "a day, sent or not"],
    ["export --from 2h --format jsonl", "the last two hours, with logs and configurations"],
  ])
    .description(
      "Print the messages of a time range, sent or not, with the revision of the configuration. Times are UTC. " +
        "csv: time,revision,variant,key,value, a row for each value. jsonl: a message a line.",
    )
    .requiredOption("--from <time>", "from then on: 2026-03-01, 2026-03-01T12:00, 2h", inUtc)
    .option("--to <time>", "before then, a date without its day; now if left out", inUtc)
    .addOption(new Option("--format <format>", "what to print").choices(["csv", "jsonl"]).default("csv"))
    .action(async ({ from, to = Date.now(), format }) => {
      refuseEmptyRange(from, to, ["--from", "--to"]);
      await (await import("./export/export.ts")).exportMessages({ fromMs: from, toMs: to }, format);
    });
}

function inUtc(text: string): number {
  return parseTime(text, "UTC");
}
