import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Disk, diskAfterCut, type Fate, type FileFate } from "./disk.ts";
import { type Random, seeded } from "./random.ts";
import { leaveOut, type Recorded } from "./record.ts";

export interface PowerCut {
  /** The calls that had returned. */
  at: number;
  /** What had been said by then. */
  said: string[];
  disk: Disk;
}

/**
 * A power cut at a random place, with random losses; the seed determines both.
 *
 * @param from - the first place of the calls that may be chosen
 */
export function cutPower({ recording, statements }: Recorded, seed: number, from = 0): PowerCut {
  const random = seeded(seed);
  const at = random.between(from, recording.length);
  const said = statements.filter((statement) => statement.at < at).map(({ text }) => text);
  return { at, said, disk: leaveOut(diskAfterCut(recording, at, randomFate(random))) };
}

/** Writes out what is left after a power cut, into a folder that is empty. */
export function writeDisk(disk: Disk, folder: string): void {
  for (const [path, content] of disk) {
    const place = join(folder, path);
    if (content === undefined) mkdirSync(place, { recursive: true });
    else {
      mkdirSync(dirname(place), { recursive: true });
      if (Buffer.isBuffer(content)) writeFileSync(place, content);
      else symlinkSync(content.target, place);
    }
  }
}

function randomFate(random: Random): Fate {
  return { journal: (least, most) => choose(random, least, most), file: () => randomFileFate(random) };
}

/** Losses of every kind: all, nothing, what came last, and any sectors. */
function randomFileFate(random: Random): FileFate {
  const size: FileFate["size"] = (least, most) => choose(random, least, most);
  switch (random.between(0, 3)) {
    case 0:
      return { size, sector: (least) => least };
    case 1:
      return { size, sector: (_, most) => most };
    case 2: {
      const part = random.between(0, 1_000) / 1_000;
      return { size, sector: (least, most) => least + Math.round(part * (most - least)) };
    }
    default: {
      const kept = random.between(0, 1_000) / 1_000;
      return {
        size,
        sector: (least, most) => (random.chance(kept) ? most : choose(random, least, most)),
      };
    }
  }
}

/** The ends are where the mistakes are. */
function choose(random: Random, least: number, most: number): number {
  if (random.chance(0.4)) return most;
  return random.chance(0.5) ? least : random.between(least, most);
}
