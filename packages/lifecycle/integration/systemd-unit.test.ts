import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemdUnit } from "../src/index.ts";
import { temporary } from "./support.ts";

const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

function unit(root: string, command: [string, ...string[]] = ["/bin/true"]): string {
  const file = join(temporary(), "ivy.service");
  writeFileSync(file, systemdUnit({ name: "ivy", root, user: "root", command, writable: ["/var/lib/ivy"] }));
  return file;
}

describe.skipIf(!hasSystemd)("the unit for systemd (needs systemd-analyze)", () => {
  it("is one that systemd takes without a word, also with odd names of folders", () => {
    for (const root of ["/home/pi/Documents/ivy", '/home/p i/100% "ivy" $HOME']) {
      const { stdout, stderr } = spawnSync("systemd-analyze", ["verify", unit(root, ["/bin/true", root])]);
      expect(`${stdout}${stderr}`).toBe("");
    }
  });

  it("exposes little: at most 4.0", () => {
    const table = execFileSync("systemd-analyze", [
      "security",
      "--offline=true",
      "--no-pager",
      unit("/srv/ivy"),
    ]);
    const [, exposure] = /Overall exposure level for ivy\.service: ([\d.]+)/.exec(table.toString()) ?? [];
    expect(Number(exposure)).toBeGreaterThan(0);
    expect(Number(exposure)).toBeLessThanOrEqual(4);
  });
});

describe("the unit for systemd", () => {
  it("runs the launcher in the root, and the agent may write nowhere else", () => {
    const text = systemdUnit({ name: "ivy", root: "/srv/100% ivy", user: "pi" });
    expect(text).toContain('ExecStart="/srv/100%% ivy/ivy-cli.sh" "run"\n');
    expect(text).toContain("WorkingDirectory=/srv/100%% ivy\n");
    expect(text).toContain('ProtectSystem=strict\nProtectHome=read-only\nReadWritePaths="/srv/100%% ivy"\n');
  });
});
