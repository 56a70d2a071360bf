/** A call of a program that changed a file, as the shim writes it down; paths are relative to the recorded folder. */
export type Call =
  | { kind: "create" | "mkdir"; inode: number; path: string }
  | { kind: "write"; inode: number; offset: number; bytes: Buffer }
  | { kind: "truncate"; inode: number; size: number }
  /** `begun`: how many calls had been recorded when it began. */
  | { kind: "fsync" | "fdatasync"; inode: number; begun: number }
  | { kind: "rename" | "link"; from: string; to: string }
  | { kind: "unlink" | "rmdir"; path: string }
  | { kind: "symlink"; path: string; target: string }
  /** Of the whole file system. */
  | { kind: "syncfs"; begun: number };

const KINDS = [
  undefined,
  "create",
  "mkdir",
  "write",
  "truncate",
  "fsync",
  "fdatasync",
  "rename",
  "link",
  "unlink",
  "rmdir",
  "symlink",
  "syncfs",
] as const;
const HEADER_BYTES = 32;

/** Reads what the shim has written down: `struct header` of file-calls.c, the names, the bytes. */
export function readCalls(log: Buffer): Call[] {
  const calls: Call[] = [];
  const ends: number[] = [];
  for (let at = 0; at < log.length; at += log.readUInt32LE(at)) {
    calls.push(readCall(log, at, ends));
    ends.push(at + log.readUInt32LE(at));
  }
  return calls;
}

function readCall(log: Buffer, at: number, ends: readonly number[]): Call {
  const kind = KINDS[log.readUInt32LE(at + 4)];
  const afterNames = at + HEADER_BYTES + log.readUInt32LE(at + 8);
  const [path = "", to = ""] = log.toString("utf8", at + HEADER_BYTES, afterNames).split("\0");
  const inode = Number(log.readBigUInt64LE(at + 16));
  const offset = Number(log.readBigUInt64LE(at + 24));
  switch (kind) {
    case "create":
    case "mkdir":
      return { kind, inode, path };
    case "write":
      return { kind, inode, offset, bytes: log.subarray(afterNames, at + log.readUInt32LE(at)) };
    case "truncate":
      return { kind, inode, size: offset };
    case "fsync":
    case "fdatasync":
      return { kind, inode, begun: callsBefore(ends, offset) };
    case "syncfs":
      return { kind, begun: callsBefore(ends, offset) };
    case "symlink":
      return { kind, path, target: log.toString("utf8", afterNames, at + log.readUInt32LE(at)) };
    case "rename":
    case "link":
      return { kind, from: path, to };
    case "unlink":
    case "rmdir":
      return { kind, path };
    case undefined:
      throw new Error(`The recording is damaged at byte ${at}: it has a record of an unknown kind`);
  }
}

/** @param length - the log's when a call began, which may be in the middle of a record that was just being written */
function callsBefore(ends: readonly number[], length: number): number {
  return ends.findLastIndex((end) => end <= length) + 1;
}
