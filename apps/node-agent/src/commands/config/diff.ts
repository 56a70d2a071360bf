import { type ConfigChange, compareConfigs, loadConfig, redact } from "@ivy/types";
import { AgentConfig } from "../../agent-config.ts";
import { CONFIG_FILE } from "../../constants.ts";
import { say, sayJson } from "../say.ts";
import type { JsonOption } from "./check.ts";
import { type Effect, effectOf } from "./effect.ts";
import { shown } from "./shown.ts";
import { valueAt } from "./value-at.ts";

/** A change with its effect; values of secrets are redacted. */
type Difference = ConfigChange & Effect;

export function diffConfigs(file: string, other: string | undefined, { json }: JsonOption): void {
  const [before, after] = other === undefined ? [CONFIG_FILE, file] : [file, other];
  const differences = differencesOf(loadConfig(before, AgentConfig), loadConfig(after, AgentConfig));
  const restarts = strongest(differences);
  if (json) sayJson({ before, after, restarts, changes: differences });
  else sayDifferences(differences, restarts);
}

function differencesOf(before: AgentConfig, after: AgentConfig): Difference[] {
  // Compared in clear, for two secrets look alike when they are redacted.
  const redactedBefore = redact(before, AgentConfig);
  const redactedAfter = redact(after, AgentConfig);
  return compareConfigs(before, after).map((change) => ({
    key: change.key,
    ...("before" in change ? { before: valueAt(redactedBefore, change.key) } : {}),
    ...("after" in change ? { after: valueAt(redactedAfter, change.key) } : {}),
    ...effectOf(change.key, after),
  }));
}

function sayDifferences(differences: readonly Difference[], restarts: Effect["restarts"]): void {
  for (const { key, concerns, ...change } of differences) {
    const from = "before" in change ? shown(change.before) : "(nothing)";
    const to = "after" in change ? shown(change.after) : "(nothing)";
    say(`${key}: ${from} -> ${to}  [${concerns.join(", ")}]`);
  }
  if (differences.length === 0) say("Nothing is different");
  else say(IN_WORDS[restarts]);
}

const IN_WORDS: Record<Effect["restarts"], string> = {
  nothing: "Putting this in force restarts nothing",
  agent: "Putting this in force restarts all processes of the agent",
  software: "Putting this in force fetches another version of the software and starts the agent under it",
};

function strongest(effects: readonly Effect[]): Effect["restarts"] {
  const order = ["software", "agent"] as const;
  return order.find((restarts) => effects.some((effect) => effect.restarts === restarts)) ?? "nothing";
}
