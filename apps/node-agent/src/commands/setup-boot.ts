import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { replaceFile } from "@ivy/files";
import { systemdUnit } from "@ivy/lifecycle";
import { say } from "./say.ts";

export type StartAtBoot = "systemd" | "cron" | "none";

export interface BootOptions {
  /** Name of the unit. */
  name: string;
  /** The launcher. */
  launcher: string;
  how: StartAtBoot | undefined;
  /** Where the unit is written, if not where systemd looks for it. */
  unitDir: string | undefined;
}

/** Lets the launcher be started at boot, and whenever the agent should have ended. */
export function startAtBoot({ name, launcher, how = usual(), unitDir }: BootOptions): void {
  if (how === "systemd") writeUnit(name, launcher, unitDir);
  if (how === "cron") addCronLine(launcher);
}

function usual(): StartAtBoot {
  return isSystemdRunning() ? "systemd" : "cron";
}

function isSystemdRunning(): boolean {
  return existsSync("/run/systemd/system");
}

function writeUnit(name: string, launcher: string, unitDir: string | undefined): void {
  const isRoot = userInfo().uid === 0;
  const folder = unitDir ?? (isRoot ? "/etc/systemd/system" : join(homedir(), ".config/systemd/user"));
  const file = join(folder, `${name}.service`);
  const text = isRoot ? unitOfSystem(name, dirname(launcher)) : unitOfUser(launcher);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) replaceFile(file, text);
  const systemctl = ["systemctl", ...(isRoot ? [] : ["--user"])];
  if (unitDir === undefined && isSystemdRunning()) {
    run([...systemctl, "daemon-reload"]);
    run([...systemctl, "enable", "--now", name]);
    // Without it, what belongs to a user starts when the user logs in.
    if (!isRoot) run(["loginctl", "enable-linger"]);
  } else {
    say(`The systemd unit is ${file}; let it start with: ${systemctl.join(" ")} enable --now ${name}`);
  }
}

/** The agent runs as whoever owns the root. */
function unitOfSystem(name: string, root: string): string {
  return systemdUnit({ name, root, user: String(statSync(root).uid) });
}

/** The manager of a user cannot take rights away; what the backend has not sent in time stays stored. */
function unitOfUser(launcher: string): string {
  return `[Unit]
Description=Ivy sensor node
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStart="${launcher}" "run"
Restart=always
RestartSec=10
WatchdogSec=300
WatchdogSignal=SIGTERM
TimeoutStartSec=900
TimeoutStopSec=90
KillMode=mixed

[Install]
WantedBy=default.target
`;
}

function addCronLine(launcher: string): void {
  const line = `* * * * * "${launcher}" start >/dev/null 2>&1`;
  const listed = spawnSync("crontab", ["-l"], { encoding: "utf8" });
  if (listed.error !== undefined) {
    throw new Error(
      "cron is not installed, so it cannot start the node: apt-get install cron, or say --start-at-boot none",
    );
  }
  // A user without a table is an error for `crontab -l`.
  const table = listed.status === 0 ? listed.stdout : "";
  if (table.split("\n").includes(line)) return;
  const before = table === "" || table.endsWith("\n") ? table : `${table}\n`;
  execFileSync("crontab", ["-"], { input: `${before}${line}\n` });
}

function run([program = "", ...args]: string[]): void {
  try {
    execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  } catch (error) {
    const command = [program, ...args].join(" ");
    throw new Error(
      `${command} has failed: mend that and run the set-up again, or say --start-at-boot cron`,
      {
        cause: error,
      },
    );
  }
}
