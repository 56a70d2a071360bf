import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { bytes } from "../../status/units.ts";
import { type Check, failure, ok, type Patient, skipped, warning } from "../check.ts";

const MB = 1_024 ** 2;

/** Below the first, messages that were sent are deleted early; below the second, there is a warning. In bytes. */
const ROOM = { least: 64 * MB, little: 500 * MB };

const INODES = { least: 500, little: 5_000 };

const MEMORY = { least: 32 * MB, little: 64 * MB };

/** This software is not older; a clock that says so is wrong. */
const OLDEST_NOW = Date.UTC(2026, 0, 1);

const disk: Check = {
  name: "disk-space",
  look: (patient) => {
    const { bavail, bsize } = statfs(patient);
    const free = bavail * bsize;
    const text = `${bytes(free)} are free for ${patient.dataDir}`;
    const mend = "delete old files, or move the data: IVY_DATA_DIR in config/.env";
    if (free < ROOM.least) return failure(text, mend);
    return free < ROOM.little ? warning(text, mend) : ok(text);
  },
};

const inodes: Check = {
  name: "inodes",
  look: (patient) => {
    const { files, ffree } = statfs(patient);
    // Some file systems have no fixed number of them.
    if (files === 0) return ok("the file system has no limit of files");
    const mend = "find folders with very many small files (`df -i`), and delete them";
    if (ffree < INODES.least) return failure(`only ${ffree} more files fit on the disk`, mend);
    return ffree < INODES.little
      ? warning(`only ${ffree} more files fit on the disk`, mend)
      : ok(`${ffree} more files fit on the disk`);
  },
};

const readOnly: Check = {
  name: "read-only-disk",
  look: (patient) => {
    const options = mountOptions(patient);
    if (options === undefined) return skipped("/proc/self/mountinfo cannot be read");
    return options.split(",").includes("ro")
      ? failure(
          "the disk is read-only: the kernel does so when a card is worn out or damaged",
          "look into `dmesg`, run fsck, replace the card; `mount -o remount,rw` for now",
        )
      : ok("the disk can be written to");
  },
};

const memory: Check = {
  name: "memory",
  look: ({ system }) => {
    const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(system.readText("/proc/meminfo") ?? "")?.[1];
    if (kilobytes === undefined) return skipped("/proc/meminfo cannot be read");
    const available = Number(kilobytes) * 1_024;
    const text = `${bytes(available)} of memory are available`;
    const mend = "end what else runs here (`ps aux --sort -rss`), or add swap on zram";
    if (available < MEMORY.least) return failure(text, mend);
    return available < MEMORY.little ? warning(text, mend) : ok(text);
  },
};

const clock: Check = {
  name: "clock",
  look: ({ system }) => {
    const now = new Date(system.now());
    return now.getTime() < OLDEST_NOW
      ? failure(
          `the clock says ${now.toISOString()}`,
          "let it be set: `timedatectl set-ntp true`, or `date -s`",
        )
      : ok(`the clock says ${now.toISOString()}`);
  },
};

const timeServer: Check = {
  name: "time-server",
  look: ({ system }) => {
    const isSet = system.clockIsSynchronised();
    if (isSet === null) return skipped("nothing tells whether a time server has set the clock");
    return isSet
      ? ok("a time server has set the clock")
      : warning(
          "no time server has set the clock since the last boot",
          "let UDP port 123 out, and look at `timedatectl timesync-status`",
        );
  },
};

function statfs({ dataDir, system }: Patient) {
  return system.statfs(existing(dataDir));
}

/** Where the agent has never run, its data folder is yet to be created. */
function existing(folder: string): string {
  return existsSync(folder) ? folder : existing(dirname(folder));
}

/** The options of the file system that holds the data. */
function mountOptions({ dataDir, system }: Patient): string | undefined {
  const folder = existing(dataDir);
  const mounts = (system.readText("/proc/self/mountinfo") ?? "").split("\n").flatMap((line) => {
    const [, , , , point, options] = line.split(" ");
    return point !== undefined && options !== undefined ? [{ point, options }] : [];
  });
  const holding = mounts.filter(({ point }) => `${folder}/`.startsWith(point === "/" ? "/" : `${point}/`));
  return holding.sort((a, b) => b.point.length - a.point.length)[0]?.options;
}

export const MACHINE_CHECKS = [disk, inodes, readOnly, memory, clock, timeServer];
