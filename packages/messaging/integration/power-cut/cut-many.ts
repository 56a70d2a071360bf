import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cutPower, type Recorded, writeDisk } from "@ivy/tooling/file-faults";

/** In memory where that is to be had: each cut writes a whole folder. */
const SCRATCH = statSync("/dev/shm", { throwIfNoEntry: false })?.isDirectory() ? "/dev/shm" : tmpdir();

/** Tells what is wrong with what a power cut has left in a folder, after what was said before. */
export type Check = (folder: string, said: readonly string[]) => string[] | Promise<string[]>;

export interface Finding {
  seed: number;
  /** The call before which the power was cut. */
  at: number;
  problems: string[];
}

/** Cuts the power once for each seed from the first on, and checks what is left. */
export async function cutManyTimes(
  recorded: Recorded,
  { count, firstSeed = 1, check }: { count: number; firstSeed?: number; check: Check },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const { at, said, disk } = cutPower(recorded, seed);
    const folder = mkdtempSync(join(SCRATCH, "ivy-power-cut-"));
    try {
      writeDisk(disk, folder);
      const problems = await check(folder, said);
      if (problems.length > 0) findings.push({ seed, at, problems });
    } catch (error) {
      findings.push({ seed, at, problems: [`it cannot be opened: ${(error as Error).stack}`] });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return findings;
}

/** What a test says where something was found; the recording is kept, so that the cut can be looked at. */
export function describeFindings({ log }: Recorded, findings: readonly Finding[]): string {
  const [first] = findings;
  if (first === undefined) return "";
  const file = join(tmpdir(), `ivy-power-cut-${process.pid}-${first.seed}.calls`);
  writeFileSync(file, log);
  return [
    `${findings.length} cuts show a problem; the recording is kept in ${file}`,
    ...findings
      .slice(0, 5)
      .map(({ seed, at, problems }) => `seed ${seed}, call ${at}: ${problems.join("; ")}`),
  ].join("\n");
}
