import { readFileSync } from "node:fs";
import { replaceFile } from "@ivy/files";
import type { Span } from "../log/place.ts";
import { seal, unseal } from "../log/seal.ts";

/** What a queue was at some time: enough to build it anew from the log without sending everything again. */
export interface Checkpoint {
  log: string;
  pending: readonly Span[];
}

export function writeCheckpoint(file: string, { log, pending }: Checkpoint): void {
  const spans = pending.map(({ from, to }) => [from, to]);
  replaceFile(file, seal(`{"log":${JSON.stringify(log)},"pending":${JSON.stringify(spans)}`));
}

/** `undefined` where there is none, or a damaged one. */
export function readCheckpoint(file: string): Checkpoint | undefined {
  try {
    const content = unseal(readFileSync(file).subarray(0, -1)) as
      | { log: string; pending: [number, number][] }
      | undefined;
    return content && { log: content.log, pending: content.pending.map(([from, to]) => ({ from, to })) };
  } catch {
    return undefined;
  }
}
