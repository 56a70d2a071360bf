import { readFileSync } from "node:fs";
import { replaceFile } from "@ivy/files";
import { LANES, type Lane } from "./place.ts";
import { seal, unseal } from "./seal.ts";

/** The sequence of the newest file that each lane has ever had, also if it has been deleted since. */
export type LastSequences = Record<Lane, number>;

export function writeLastSequences(file: string, last: LastSequences): void {
  const fields = LANES.map((lane) => `"${lane}":${last[lane]}`);
  replaceFile(file, seal(`{${fields.join()}`));
}

/** `undefined` where there is none, or a damaged one. */
export function readLastSequences(file: string): LastSequences | undefined {
  try {
    return unseal(readFileSync(file).subarray(0, -1)) as LastSequences | undefined;
  } catch {
    return undefined;
  }
}
