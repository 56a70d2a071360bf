import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Texts that say what is started: the units that were added and the crontab. `undefined` where there is neither. */
export async function startersOfPrograms(): Promise<readonly string[] | undefined> {
  const units = unitFiles();
  const crontab = await readCrontab();
  if (units === undefined && crontab === undefined) return undefined;
  return [...(units ?? []), crontab ?? ""];
}

/** The units that an administrator or user has added; `undefined` where systemd does not run. */
function unitFiles(): string[] | undefined {
  if (!existsSync("/run/systemd/system")) return undefined;
  const folders = ["/etc/systemd/system", join(homedir(), ".config/systemd/user")].filter(existsSync);
  return folders.flatMap((folder) => {
    const names = readdirSync(folder).filter((name) => name.endsWith(".service"));
    return names
      .filter((name) => existsSync(join(folder, name)))
      .map((name) => readFileSync(join(folder, name), "utf8"));
  });
}

/** `undefined` where there is no cron. */
async function readCrontab(): Promise<string | undefined> {
  try {
    return (await run("crontab", ["-l"])).stdout;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : "";
  }
}
