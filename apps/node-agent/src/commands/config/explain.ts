import { describeKey, type KeyDescription, loadConfig, redact } from "@ivy/types";
import { AgentConfig } from "../../agent-config.ts";
import { CONFIG_FILE } from "../../constants.ts";
import { say, sayJson } from "../say.ts";
import type { JsonOption } from "./check.ts";
import { shown } from "./shown.ts";
import { valueAt } from "./value-at.ts";

export function explainKey(key: string, { json }: JsonOption): void {
  const about = describeKey(AgentConfig, key);
  const inForce = valueInForce(key);
  if (json) sayJson({ ...about, in_force: inForce });
  else sayKey(about, inForce);
}

function sayKey(about: KeyDescription, inForce: unknown): void {
  const { key, title, description, allowed, unit, example, keys } = about;
  say(`${key}: ${title}`);
  say(`  ${description}`);
  sayPart("Allowed", `${allowed}${unit === undefined ? "" : `, in ${unit}`}`);
  sayPart("Default", "default" in about ? shown(about.default) : withoutDefault(about));
  if (example !== undefined) sayPart("Example", shown(example));
  sayPart("In force", shown(inForce));
  for (const name of keys ?? []) say(`  ${key}.${name}: ${describeKey(AgentConfig, `${key}.${name}`).title}`);
}

function withoutDefault({ required }: KeyDescription): string {
  return required ? "none, it must be given" : "none, it may be left out";
}

function sayPart(name: string, text: string): void {
  say(`  ${`${name}:`.padEnd(10)}${text}`);
}

/** Redacted; nothing where there is no sound configuration to look into. */
function valueInForce(key: string): unknown {
  try {
    return valueAt(redact(loadConfig(CONFIG_FILE, AgentConfig), AgentConfig), key);
  } catch {
    return undefined;
  }
}
