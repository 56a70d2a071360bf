import { sequenceIn } from "./file-name.ts";
import type { LogHeader } from "./record.ts";

/** Stands in the place of what a damaged header has said. */
export const UNKNOWN_BOOT = "";

export interface NamedFile {
  name: string;
  header: LogHeader | undefined;
}

/**
 * A file whose header is damaged takes the sequence from its name. Where that has none, the highest number that is free
 * below its successor by name: its own, usually. Those after its predecessor may be of files that are sent and gone.
 *
 * @param last - the highest sequence that the lane has ever had, as far as that is known
 */
export function withGapsFilled(
  files: readonly NamedFile[],
  last: () => number | undefined,
): { name: string; header: LogHeader }[] {
  const log = files.find(({ header }) => header !== undefined)?.header?.log ?? "";
  const taken = new Set(files.flatMap(({ name, header }) => header?.file ?? sequenceIn(name) ?? []));
  const above = () => Math.max(0, ...taken) + 1;
  let next: number | undefined;
  return files.toReversed().map(({ name, header }) => {
    const known = header?.file ?? sequenceIn(name);
    const file: number =
      known ?? (next === undefined ? Math.max(above(), last() ?? 0) : (freeBelow(next, taken) ?? above()));
    taken.add(file);
    next = file;
    return { name, header: header ?? { file, log, boot: UNKNOWN_BOOT } };
  });
}

/** The highest number below another that is not taken. */
function freeBelow(limit: number, taken: ReadonlySet<number>): number | undefined {
  for (let number = limit - 1; number > 0; number--) if (!taken.has(number)) return number;
  return undefined;
}
