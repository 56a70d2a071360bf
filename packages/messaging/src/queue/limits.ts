import { LANES, type Lane } from "../log/place.ts";

/** How much of the log is kept. What is over goes in the order: sent messages, then unsent ones, the oldest first. */
export interface StoreLimits {
  /** Most bytes of messages that have been sent and are kept as the archive. */
  archiveBytes: number;
  /** Most days of them; counted are the days on which something was added, for a clock may be wrong by years. */
  archiveDays: number;
  /** Most bytes of messages that wait to be sent; those over are dropped unsent. */
  queueBytes: number;
  /** Most days of them. */
  queueDays: number;
  /** Free bytes of the file system below which sent messages go, however few they are. */
  freeBytes: number;
}

export const DEFAULT_LIMITS: StoreLimits = {
  archiveBytes: 1024 ** 3,
  archiveDays: 365,
  queueBytes: 1024 ** 3,
  queueDays: 365,
  freeBytes: 64 * 1024 ** 2,
};

/** A file of the log, as far as limits are concerned. */
export interface KeptFile {
  lane: Lane;
  day: string;
  /** Something may still be appended to it. */
  isLive: boolean;
  bytes: number;
  /** How many of its bytes wait to be sent. */
  pendingBytes: number;
}

/**
 * Which files have to go: as wholes, and never the newest of a lane, nor one that may still be appended to. For want of room on the file system only what has
 * been sent goes: whoever fills it may stop, and what was not sent cannot be measured again.
 *
 * @param files - of each lane in order, oldest first
 * @param free - free bytes of the file system
 */
export function filesToRemove<File extends KeptFile>(
  files: readonly File[],
  free: number,
  limits: StoreLimits,
): File[] {
  let archive = sum(files, ({ bytes, pendingBytes }) => bytes - pendingBytes);
  let queue = sum(files, ({ pendingBytes }) => pendingBytes);
  let missing = limits.freeBytes - free;
  const old = LANES.toReversed().flatMap((lane) => removable(files.filter((file) => file.lane === lane)));
  const sent = old.filter(({ file, age }) => {
    if (file.pendingBytes > 0) return false;
    if (archive <= limits.archiveBytes && missing <= 0 && age < limits.archiveDays) return false;
    archive -= file.bytes;
    missing -= file.bytes;
    return true;
  });
  const unsent = old.filter(({ file, age }) => {
    if (file.pendingBytes === 0) return false;
    if (queue <= limits.queueBytes && age < limits.queueDays) return false;
    queue -= file.pendingBytes;
    return true;
  });
  return [...sent, ...unsent].map(({ file }) => file);
}

/** On how many days something was added since the oldest message that waits, that day and the newest included. */
export function daysOfUnsent(files: readonly KeptFile[]): number {
  const spans = LANES.map((lane) => {
    const days = [...new Set(files.filter((file) => file.lane === lane).map(({ day }) => day))];
    const oldest = files.find((file) => file.lane === lane && file.pendingBytes > 0);
    return oldest === undefined ? 0 : days.length - days.indexOf(oldest.day);
  });
  return Math.max(...spans);
}

/** The files of a lane that may go at all, with their age in days on which something was added. */
function removable<File extends KeptFile>(lane: readonly File[]): { file: File; age: number }[] {
  const days = [...new Set(lane.map(({ day }) => day))];
  return lane
    .slice(0, -1)
    .filter(({ isLive }) => !isLive)
    .map((file) => ({ file, age: days.length - 1 - days.indexOf(file.day) }));
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
