import { accessSync, constants, statfsSync } from "node:fs";
import { isCode } from "@ivy/files";
import { UpdateDeferredError, UpdateRejectedError, type UpdateStep } from "../errors.ts";
import { type CommandEnd, type CommandOptions, KILLED, runCommand } from "./run-command.ts";

export interface StepOptions extends CommandOptions {
  /** The part of the change that it is, for the error. */
  step: UpdateStep;
}

/** How programs in JavaScript, in Rust, and the C library say that there is no room. */
const NO_ROOM = /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/i;

/** With less than that free, whatever fails may have failed for want of it, whatever it says. */
const LEAST_ROOM = { bytes: 16_000_000, files: 100 };

/** How they say that the disk is damaged. */
const DAMAGED = /EIO: i\/o error|Input\/output error/i;

/**
 * Runs a command as a step of a change: at low priority, everything that it starts killed with it, what it prints
 * bounded and without secrets.
 *
 * @throws UpdateRejectedError `IVY_INSTALL_FAILED`, `IVY_BUILD_FAILED`, `IVY_TEST_FAILED`, ... where it fails, and
 *   `IVY_INSTALL_TIMEOUT`, ... where it takes too long
 * @throws UpdateDeferredError where the disk was full (`IVY_NO_ROOM`), damaged or read-only (`IVY_DISK_FAILED`), the
 *   signal has ended it (`IVY_STOPPED`), the memory ran out meanwhile (`IVY_NO_MEMORY`), or somebody has killed it
 *   (`IVY_KILLED`), unless it is the suite
 */
export async function runStep(options: StepOptions): Promise<{ output: string }> {
  const end = await runCommand(options);
  if (succeeded(end)) return { output: end.output };
  throw sayNothingOfTheVersion(options, end) ?? failure(options, end);
}

export function succeeded({ cause, exitCode }: CommandEnd): boolean {
  return cause === "itself" && exitCode === 0;
}

/** The error for an end that has nothing to do with the version that is being prepared, if this is one. */
export function sayNothingOfTheVersion(
  { step, cwd }: StepOptions,
  { cause, exitCode, output, memoryRanOut }: CommandEnd,
): UpdateDeferredError | undefined {
  if (cause === "signal")
    return new UpdateDeferredError(step, "IVY_STOPPED", `The step ${step} in ${cwd} was stopped`);
  if (memoryRanOut)
    return new UpdateDeferredError(
      step,
      "IVY_NO_MEMORY",
      `The memory of this system ran out at the step ${step} in ${cwd}: the kernel has killed a process`,
    );
  // The kernel does that where memory is short; but whatever a suite does is the version's.
  if (cause === "itself" && exitCode === KILLED && step !== "test")
    return new UpdateDeferredError(step, "IVY_KILLED", `The step ${step} in ${cwd} was killed`);
  if (cause === "itself" && (NO_ROOM.test(unwrapped(output)) || isFull(cwd)))
    return new UpdateDeferredError(step, "IVY_NO_ROOM", `The disk was full at the step ${step} in ${cwd}`);
  if (DAMAGED.test(unwrapped(output)) || isReadOnly(cwd))
    return new UpdateDeferredError(
      step,
      "IVY_DISK_FAILED",
      `The disk is damaged or read-only, as the step ${step} in ${cwd} has found`,
    );
  return undefined;
}

/** What was printed without its line breaks: pnpm breaks its errors wherever a line is full, with marks in front. */
export function unwrapped(output: string): string {
  return output.replace(/\s*\n[\s│├╰─▶×]*/g, " ");
}

function isFull(folder: string): boolean {
  const { bavail, bsize, files, ffree } = statfsSync(folder);
  // Some file systems have no fixed number of files, and then say 0.
  return bavail * bsize < LEAST_ROOM.bytes || (files > 0 && ffree < LEAST_ROOM.files);
}

/** The kernel makes a disk read-only by itself where it finds it damaged. */
function isReadOnly(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch (error) {
    return isCode(error, "EROFS");
  }
}

/** The error for a version that this step has proven to be unfit. */
export function failure(
  { step, cwd, command, timeoutMs }: StepOptions,
  { cause, exitCode, output }: CommandEnd,
): UpdateRejectedError {
  const name = step.toUpperCase();
  const what = `The step ${step} (${command.slice(1).join(" ")}) in ${cwd}`;
  if (cause === "timeout") {
    const message = `${what} has not ended within ${Math.round(timeoutMs / 1_000)} seconds`;
    return new UpdateRejectedError(step, `IVY_${name}_TIMEOUT`, message, { output });
  }
  return new UpdateRejectedError(
    step,
    `IVY_${name}_FAILED`,
    `${what} has failed with exit code ${exitCode}`,
    {
      output,
    },
  );
}
