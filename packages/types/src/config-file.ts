import { readFileSync } from "node:fs";
import { isCode, replaceFile } from "@ivy/files";
import { type ParseError, parse as parseTolerantly, printParseErrorCode, visit } from "jsonc-parser";
import type * as z from "zod/mini";
import { Config } from "./config.ts";
import { ConfigError, type ConfigProblem } from "./config-error.ts";
import { describeProblems } from "./describe-problem.ts";
import { ForeignConfig } from "./foreign-config.ts";

type Schema<Value> = z.ZodMiniType<Value>;

/** Some editors begin a file with it. */
const BYTE_ORDER_MARK = /^\uFEFF/;

/**
 * Checks a configuration that is already parsed.
 *
 * @param source - where it came from, for the error
 * @throws ConfigError with every problem: key path, what came, what is allowed
 */
export function parseConfig(value: unknown, source: string): Config;
export function parseConfig<Value>(value: unknown, source: string, schema: Schema<Value>): Value;
export function parseConfig(value: unknown, source: string, schema: Schema<unknown> = Config): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ConfigError(source, describeProblems(schema, value, result.error.issues));
}

/**
 * Loads a configuration from JSON text.
 *
 * @throws ConfigError where the text is not JSON (with line and column), says a key twice, or is not a configuration
 */
export function loadConfigFromString(text: string, source?: string): Config;
export function loadConfigFromString<Value>(text: string, source: string, schema: Schema<Value>): Value;
export function loadConfigFromString(
  text: string,
  source = "The configuration",
  schema: Schema<unknown> = Config,
): unknown {
  const json = text.replace(BYTE_ORDER_MARK, "");
  const value = parseJson(json, source);
  const repeated = repeatedKeys(json);
  if (repeated.length > 0) throw new ConfigError(source, repeated);
  return parseConfig(value, source, schema);
}

/**
 * Loads a configuration file. The template is loaded the same way.
 *
 * @throws ConfigError where the file is missing, cannot be read, or does not hold a configuration
 */
export function loadConfig(file: string): Config;
export function loadConfig<Value>(file: string, schema: Schema<Value>): Value;
export function loadConfig(file: string, schema: Schema<unknown> = Config): unknown {
  return loadConfigFromString(readConfig(file), file, schema);
}

/** Loads a configuration for any version of the software from JSON text. */
export function loadForeignConfigFromString(text: string, source = "The configuration"): ForeignConfig {
  return loadConfigFromString(text, source, ForeignConfig);
}

/** Replaces a configuration file, readable by its owner only; a power cut leaves the old or the new one. */
export function dumpConfig(file: string, config: Config | ForeignConfig): void {
  replaceFile(file, `${JSON.stringify(config, undefined, 2)}\n`, 0o600);
}

/** The configuration as any version of the software can read it. */
export function toForeignConfig(config: Config): ForeignConfig {
  return ForeignConfig.parse(config);
}

function readConfig(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const problem = isCode(error, "ENOENT")
      ? "the file is missing; copy config.template.json and fill it in"
      : `the file cannot be read (${(error as Error).message})`;
    throw new ConfigError(file, [{ path: "", problem }], { cause: error });
  }
}

/** Reads JSON without ever quoting it: the engine's own error would print what stands around the mistake. */
function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const errors: ParseError[] = [];
    parseTolerantly(text, errors, { disallowComments: true });
    const offset = errors[0]?.offset ?? text.length;
    const before = text.slice(0, offset).split("\n");
    const where = `line ${before.length}, column ${(before.at(-1) ?? "").length + 1}`;
    const what = errors[0] === undefined ? "InvalidSymbol" : printParseErrorCode(errors[0].error);
    throw new ConfigError(source, [{ path: "", problem: `is not JSON: ${what} at ${where}` }]);
  }
}

/** Keys that one object holds twice: of them the engine takes the last, and whoever has written the first is not told. */
function repeatedKeys(json: string): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const open: Set<string>[] = [];
  visit(json, {
    onObjectBegin: () => void open.push(new Set()),
    onObjectEnd: () => void open.pop(),
    onObjectProperty: (key, _offset, _length, line, _column, above) => {
      const path = [...above(), key].join(".");
      if (open.at(-1)?.has(key)) problems.push({ path, problem: `stands twice, on line ${line + 1} again` });
      open.at(-1)?.add(key);
    },
  });
  return problems;
}
