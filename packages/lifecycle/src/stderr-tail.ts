import type { Readable } from "node:stream";

const KEPT_CHARACTERS = 4_000;

/** Passes on what a process writes to standard error, and keeps its end for whoever asks why it died. */
export function keepTail(stderr: Readable): () => string {
  let tail = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    process.stderr.write(text);
    tail = (tail + text).slice(-KEPT_CHARACTERS);
  });
  return () => tail;
}
