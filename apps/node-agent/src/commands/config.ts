import { type Command, Option } from "commander";
import { withExamples } from "./examples.ts";

/** `config check`, `config diff`, `config explain` and `config schema`; none of them starts or changes anything. */
export function addConfig(program: Command): void {
  const config = program.command("config").description("Check, compare and explain configurations.");
  const json = new Option("--json", "print JSON");

  withExamples(config.command("check"), [
    ["config check", "check the configuration in force"],
    ["config check new.json && echo sound", "check a file before it is put in force"],
  ])
    .description("Tell everything that is wrong with a configuration. Exit code 0: nothing, 1: something.")
    .argument("[file]", "configuration to check; the one in force if left out")
    .addOption(json)
    .action(async (file: string | undefined, options) =>
      (await import("./config/check.ts")).checkConfig(file, options),
    );

  withExamples(config.command("diff"), [
    ["config diff new.json", "what new.json would change"],
    ["config diff old.json new.json --json", "compare two files, for a machine"],
  ])
    .description("Tell what a configuration changes, and what that restarts. Secrets are not shown.")
    .argument("<file>", "configuration to compare with the one in force; with two, the one before")
    .argument("[after]", "configuration to compare the other one with")
    .addOption(json)
    .action(async (file: string, after: string | undefined, options) =>
      (await import("./config/diff.ts")).diffConfigs(file, after, options),
    );

  withExamples(config.command("explain"), [
    ["config explain backend.max_drain_time", "one key"],
    ["config explain backend", "a section and its keys"],
  ])
    .description("Tell what a key means, what it may be, what holds without it, and what is in force.")
    .argument("<key>", "keys from the top, with dots between them")
    .addOption(json)
    .action(async (key: string, options) => (await import("./config/explain.ts")).explainKey(key, options));

  withExamples(config.command("schema"), [
    [
      "config schema > config/config.schema.json",
      'for editors, with "$schema": "./config.schema.json" in the file',
    ],
  ])
    .description("Print the JSON Schema of the configuration.")
    .action(async () => (await import("./config/schema.ts")).printSchema());
}
