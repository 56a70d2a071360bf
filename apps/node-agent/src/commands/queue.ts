import { type Command, InvalidArgumentError, Option } from "commander";
import type { JsonOption } from "./config/check.ts";
import { withExamples } from "./examples.ts";
import { onlySubcommands } from "./only-subcommands.ts";

const USUAL_COUNT = 10;

/** `queue` with `count`, `peek`, `dead` and `requeue`. */
export function addQueue(program: Command): void {
  const queue = withExamples(program.command("queue"), [
    ["queue", "how much waits for the server"],
    ["queue peek 3 --json", "the oldest three messages, for a machine"],
    ["queue dead", "what the server will never take, and why"],
    ["queue requeue all", "send all of it again"],
  ]).description("Look into the queue of messages that the server has not acknowledged yet.");
  const json = new Option("--json", "print JSON");
  const count = async (options: JsonOption) => (await import("./queue/count.ts")).countQueue(options);
  queue.addOption(json).action(count);

  withExamples(queue.command("count"), [["queue count --json", "for a machine"]])
    .description("Tell how much waits, since when, and how many dead letters there are; as queue alone does.")
    .addOption(json)
    .action(count);

  withExamples(queue.command("peek"), [["queue peek 100", "the oldest hundred"]])
    .description("Show the oldest messages, urgent ones first; they stay in the queue.")
    .argument("[number]", "how many at most", parseCount, USUAL_COUNT)
    .addOption(json)
    .action(async (count, options) => (await import("./queue/peek.ts")).peek(count, options));

  withExamples(queue.command("dead"), [["queue dead 100 --json", "a hundred of them, for a machine"]])
    .description("Show the oldest dead letters: messages that were set aside, with the reason.")
    .argument("[number]", "how many at most", parseCount, USUAL_COUNT)
    .addOption(json)
    .action(async (count, options) => (await import("./queue/peek.ts")).showDeadLetters(count, options));

  withExamples(queue.command("requeue"), [
    ["queue requeue 4294967391 4294967487", "two of them"],
    ["queue requeue all", "all"],
  ])
    .description("Put dead letters back into the queue: once the server takes them, say.")
    .argument("<identifiers...>", 'as "queue dead" shows them, or "all"')
    .addOption(json)
    .action(async (identifiers, options) =>
      (await import("./queue/requeue.ts")).requeue(identifiers, options),
    );
  onlySubcommands(queue);
}

function parseCount(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Write a whole number.");
}
