/** What a release may take of a node: bytes, entries, time. */
export interface SourceLimits {
  /** Of an archive, as it is downloaded. */
  archiveBytes: number;
  /** Of all that comes out of an archive. */
  unpackedBytes: number;
  /** Files, folders and other records of an archive. */
  entries: number;
  /** A connection over which less than 4 KiB come in this time has stalled, in milliseconds. */
  stallMs: number;
  /** For one download as a whole, in milliseconds; the next attempt goes on where it was cut. */
  totalMs: number;
}

export const DEFAULT_LIMITS: SourceLimits = {
  archiveBytes: 256 * 2 ** 20,
  unpackedBytes: 2 ** 30,
  entries: 50_000,
  stallMs: 60_000,
  totalMs: 3_600_000,
};
