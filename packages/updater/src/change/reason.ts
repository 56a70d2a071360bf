import { ConfigError, REDACTED, redactText, spellingsOf } from "@ivy/types";
import type { UpdateDeferredError, UpdateRejectedError } from "../errors.ts";

/** Characters of a reason that are kept: its beginning says what failed, its end what was printed last; servers take no more. */
const KEPT = { beginning: 1_024, end: 3_072 };

/** A shorter rest of a secret tells nothing, and stands in other words too often, in characters. */
const SHORTEST_REST = 4;

/** Why a change is not made, or not now, in a few KiB without secrets. */
export function describe(
  error: ConfigError | UpdateDeferredError | UpdateRejectedError,
  secrets: readonly string[],
): string {
  const spellings = spellingsOf(secrets);
  const strike = (text: string) => redactText(text, spellings);
  if (error instanceof ConfigError) return shortened(strike(error.message));
  const what = strike(`${error.code} in step "${error.step}": ${error.message}`);
  const output = "output" in error && error.output ? error.output : undefined;
  return shortened(output === undefined ? what : `${what}\n${strike(withoutRest(output, spellings))}`);
}

/** Whoever kept the end of an output has cut it anywhere, in the middle of a secret too. */
function withoutRest(output: string, spellings: readonly string[]): string {
  for (const secret of spellings)
    for (let cut = 1; secret.length - cut >= SHORTEST_REST; cut++)
      if (output.startsWith(secret.slice(cut))) return REDACTED + output.slice(secret.length - cut);
  return output;
}

function shortened(text: string): string {
  if (text.length <= KEPT.beginning + KEPT.end) return text;
  return `${text.slice(0, KEPT.beginning)}\n[...]\n${text.slice(-KEPT.end)}`.toWellFormed();
}
