import type { Readable } from "node:stream";
import { isJournal, withPriority } from "@ivy/logger";

const KEPT_CHARACTERS = 4_000;

/** Passes on what a process writes to standard error, and keeps its end for whoever asks why it died. */
export function keepTail(stderr: Readable): () => string {
  let tail = "";
  const inJournal = isJournal(process.stderr.fd);
  stderr.setEncoding("utf8").on("data", (text: string) => {
    process.stderr.write(inJournal ? asErrors(text, tail) : text);
    tail = (tail + text).slice(-KEPT_CHARACTERS);
  });
  return () => tail;
}

/** For the journal; the first line may go on where the text before has ended. */
function asErrors(text: string, before: string): string {
  if (before === "" || before.endsWith("\n")) return withPriority(text, "ERROR");
  const rest = text.indexOf("\n") + 1;
  return rest === 0 ? text : text.slice(0, rest) + withPriority(text.slice(rest), "ERROR");
}
