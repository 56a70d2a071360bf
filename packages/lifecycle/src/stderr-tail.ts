import { constants, fstatSync, ftruncateSync, readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { isJournal, withPriority } from "@ivy/logger";

const KEPT_CHARACTERS = 4_000;

/** A file that takes standard error is emptied when it has become longer than this, in bytes. */
const LONGEST_FILE = 2 ** 20;

/** Passes on what a process writes to standard error, and keeps its end for whoever asks why it died. */
export function keepTail(stderr: Readable): () => string {
  let tail = "";
  const inJournal = isJournal(process.stderr.fd);
  const isFile = isAppendedTo(process.stderr.fd);
  stderr.setEncoding("utf8").on("data", (text: string) => {
    if (isFile) emptyLongFile(process.stderr.fd);
    process.stderr.write(inJournal ? asErrors(text, tail) : text);
    tail = (tail + text).slice(-KEPT_CHARACTERS);
  });
  return () => tail;
}

/** Whether what is written to a descriptor goes to the end of a file, wherever that is: one that may be emptied. */
function isAppendedTo(descriptor: number): boolean {
  if (!fstatSync(descriptor).isFile()) return false;
  const [, flags = "0"] =
    /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8")) ?? [];
  return (Number.parseInt(flags, 8) & constants.O_APPEND) !== 0;
}

function emptyLongFile(descriptor: number): void {
  try {
    if (fstatSync(descriptor).size > LONGEST_FILE) ftruncateSync(descriptor);
  } catch {
    // It grows on: that is no reason to lose what is to be passed on.
  }
}

/** For the journal; the first line may go on where the text before has ended. */
function asErrors(text: string, before: string): string {
  if (before === "" || before.endsWith("\n")) return withPriority(text, "ERROR");
  const rest = text.indexOf("\n") + 1;
  return rest === 0 ? text : text.slice(0, rest) + withPriority(text.slice(rest), "ERROR");
}
