import { randomUUID } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCalls } from "./calls.ts";
import { type Disk, diskAfterCut, nothingLost } from "./disk.ts";
import { type Recording, readRecording } from "./recording.ts";
import { withFaults } from "./shim.ts";

/** File of the recorded folder that programs state in, a line each, what has come true. */
const STATEMENTS = "said";

/** Shared memory of SQLite, written to without a call. Whoever opens the database first builds it anew. */
const SHARED_MEMORY = /-shm$/;

/** What programs did to a folder and said meanwhile. */
export interface Recorded {
  recording: Recording;
  statements: { at: number; text: string }[];
  /** To be kept where a cut has found something: {@link readRecorded} reads it. */
  log: Buffer;
}

/**
 * Records what programs do to a folder, which is empty at first. What they append to its file `said` is kept apart, as
 * statements about which the checks of a power cut can reason.
 *
 * @param run - runs the programs, with this environment, and resolves when they have ended
 * @throws Error where the folder has changed in a way that the recorder does not know
 */
export async function record(
  run: (folder: string, environment: NodeJS.ProcessEnv) => Promise<void>,
): Promise<Recorded> {
  const work = realpathSync(mkdtempSync(join(tmpdir(), "ivy-recorder-")));
  try {
    const folder = join(work, "folder");
    const log = join(work, "calls");
    // Whoever looks at what a power cut has left does so after another boot.
    const bootId = join(work, "boot_id");
    writeFileSync(bootId, `${randomUUID()}\n`);
    mkdirSync(folder);
    await run(folder, withFaults(work, { folder, log, bootId }));
    const recorded = readRecorded(readFileSync(log));
    mustBeComplete(recorded.recording, folder);
    return recorded;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export function readRecorded(log: Buffer): Recorded {
  const recording = readRecording(readCalls(log));
  return { recording, statements: statementsOf(recording), log };
}

/** The folder as it may be after a power cut: without what was said, and what a program builds anew at its start. */
export function leaveOut(disk: Disk): Disk {
  return new Map([...disk].filter(([path]) => path !== STATEMENTS && !SHARED_MEMORY.test(path)));
}

function statementsOf({ names }: Recording): Recorded["statements"] {
  const changes = names.get(STATEMENTS)?.changes ?? [];
  return changes.flatMap((change) =>
    change.kind === "write" ? linesOf(change.bytes).map((text) => ({ at: change.at, text })) : [],
  );
}

function linesOf(bytes: Buffer): string[] {
  return bytes.toString().trimEnd().split("\n");
}

/** With every call performed, the disk must be what the folder is. */
function mustBeComplete(recording: Recording, folder: string): void {
  const disk = diskAfterCut(recording, recording.length, nothingLost);
  const differing = new Set([...disk.keys(), ...pathsBelow(folder)]);
  for (const path of differing)
    if (SHARED_MEMORY.test(path) || isSame(join(folder, path), disk, path)) differing.delete(path);
  if (differing.size === 0) return;
  throw new Error(
    `The recorder has not seen every change: ${[...differing].join(", ")} would be something else. The program changes ` +
      "them with a call that file-calls.c does not know, or with the recorder's library not loaded",
  );
}

/** Node's own recursion follows symbolic links. */
function pathsBelow(folder: string, below = ""): string[] {
  const entries = readdirSync(join(folder, below), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(below, entry.name);
    return entry.isDirectory() ? [path, ...pathsBelow(folder, path)] : [path];
  });
}

function isSame(file: string, disk: Disk, path: string): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined || !disk.has(path)) return false;
  const content = disk.get(path);
  if (content !== undefined && !Buffer.isBuffer(content))
    return stats.isSymbolicLink() && readlinkSync(file) === content.target;
  return stats.isDirectory() ? content === undefined : content?.equals(readFileSync(file)) === true;
}
