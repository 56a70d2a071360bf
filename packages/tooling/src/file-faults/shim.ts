import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Whether this machine can compile what is loaded into the programs under test; suites that need it are left out where not. */
export const hasCompiler =
  process.platform === "linux" && spawnSync("cc", ["--version"], { stdio: "ignore" }).status === 0;

export interface Faults {
  /** The files whose calls are looked at: those below this folder, given without symbolic links. */
  folder: string;
  /** File that the calls are written down in. */
  log?: string;
  /** File of {@link setRoom}: how much the files may still grow. */
  room?: string;
  /** File of {@link setKill}: how many calls are made before everybody who makes one is killed. */
  kill?: string;
  /** File that the programs read the identity of the machine's boot from, in place of the kernel's. */
  bootId?: string;
}

/**
 * Compiles the shim.
 *
 * @param workFolder - where the library is put; it must outlive the programs
 * @returns what must be in the environment of a program, so that its calls and those of its children are looked at
 */
export function withFaults(
  workFolder: string,
  { folder, log, room, kill, bootId }: Faults,
): NodeJS.ProcessEnv {
  const library = join(workFolder, "file-calls.so");
  const source = join(import.meta.dirname, "file-calls.c");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"]);
  return {
    ...process.env,
    LD_PRELOAD: library,
    // What libuv hands to the kernel's own threads cannot be seen.
    UV_USE_IO_URING: "0",
    IVY_FAULTS_BELOW: folder,
    ...(log === undefined ? {} : { IVY_FAULTS_LOG: log }),
    ...(room === undefined ? {} : { IVY_FAULTS_ROOM: room }),
    ...(kill === undefined ? {} : { IVY_FAULTS_KILL: kill }),
    ...(bootId === undefined ? {} : { IVY_FAULTS_BOOT_ID: bootId }),
  };
}

/** Sets how many bytes the files may grow by from now on, all together; also while programs are running. */
export function setRoom(file: string, bytes: number): void {
  writeNumber(file, bytes);
}

/**
 * Sets before which call that changes something below the folder, of all processes together, the one that is about to
 * make it is killed, and so with all calls after it: from then on nothing there changes.
 *
 * @param call - 1 is the next
 */
export function setKill(file: string, call: number): void {
  writeNumber(file, call);
}

/** How many calls are left until then; none when it has come to it. */
export function callsLeft(file: string): number {
  return Math.max(0, Number(readFileSync(file).readBigInt64LE()) - 1);
}

function writeNumber(file: string, number: number): void {
  const content = Buffer.alloc(8);
  content.writeBigInt64LE(BigInt(number));
  // In place, for the programs have mapped the file.
  const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  writeSync(descriptor, content, 0, content.length, 0);
  closeSync(descriptor);
}
