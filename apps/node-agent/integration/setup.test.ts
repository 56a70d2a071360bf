import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pnpmOf } from "@ivy/updater";
import { describe, expect, it, onTestFinished } from "vitest";

const REPOSITORY = resolve(import.meta.dirname, "../../..");
const SCRIPT = join(REPOSITORY, "scripts/setup-node.sh");
const NPM_SETTINGS = join(homedir(), ".npmrc");
const { version } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8")) as { version: string };

const ANSWERS = ["--yes", "--system-identifier", "station-7", "--backend", "none", "--start-at-boot", "none"];

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

interface Setting {
  work: string;
  root: string;
  /** Folder of programs that come before the system's. */
  bin: string;
  /** Replaces a program of the system. */
  program(name: string, script: string): void;
  setUp(...args: string[]): Promise<Result>;
}

/** A user's home in which nothing has been set up, without Node and pnpm. */
function setting(): Setting {
  const work = mkdtempSync(join(tmpdir(), "ivy-setup-"));
  onTestFinished(() => rmSync(work, { recursive: true, force: true }));
  const bin = join(work, "bin");
  mkdirSync(bin);
  // How the registry is reached from here is a matter of this machine.
  if (existsSync(NPM_SETTINGS)) cpSync(NPM_SETTINGS, join(work, ".npmrc"));
  const env = { HOME: work, PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin` };
  const program = (name: string, script: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const root = join(work, "ivy");
  const setUp: Setting["setUp"] = (...args) =>
    new Promise((settle) => {
      const command = [SCRIPT, "--root", root, ...args];
      execFile("/bin/sh", command, { env, cwd: work, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
        settle({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  return { work, root, bin, program, setUp };
}

/** The source code as a code host hands it out: an archive with one folder in it. */
function archiveIn(work: string): string {
  const names = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: REPOSITORY,
  });
  const top = join(work, `ivy-${version}`);
  for (const name of names.toString().split("\0").filter(Boolean)) {
    if (existsSync(join(REPOSITORY, name))) cpSync(join(REPOSITORY, name), join(top, name));
  }
  execFileSync("tar", ["-czf", "source.tar.gz", `ivy-${version}`], { cwd: work });
  return join(work, "source.tar.gz");
}

/** Every name below a folder, and of files and links the last change as the kernel knows it. */
function namesAndChanges(folder: string): string {
  // What is prepared comes and goes, which changes its folders only.
  const print = ["-type", "d", "-printf", "%p %m\\n", "-o", "-printf", "%p %m %i %C@\\n"];
  return execFileSync("find", [folder, ...print], { encoding: "utf8", maxBuffer: 2 ** 26 });
}

/** Lets the set-up find the packages that were installed on this machine before. */
function useInstalledPackages(root: string): void {
  const { storeDir } = JSON.parse(readFileSync(join(REPOSITORY, "node_modules/.modules.yaml"), "utf8"));
  mkdirSync(join(root, ".ivy"), { recursive: true });
  if (existsSync(storeDir)) symlinkSync(dirname(storeDir), join(root, ".ivy/store"));
}

describe("the set-up of a node", () => {
  it("installs a version from an archive, asks nothing, and run again changes nothing", {
    timeout: 300_000,
  }, async () => {
    const { work, root, bin, program, setUp } = setting();
    symlinkSync(pnpmOf(REPOSITORY), join(bin, "pnpm"));
    useInstalledPackages(root);
    program(
      "crontab",
      `case $1 in -l) cat ${work}/table ;; -) cat >${work}/table.new; mv ${work}/table.new ${work}/table ;; esac`,
    );
    writeFileSync(join(work, "table"), "0 4 * * * something else");
    writeFileSync(join(work, "password"), "correct-horse\n");
    const server = [
      "--backend",
      "mqtt",
      "--host",
      "broker.example",
      "--tls",
      "yes",
      "--password-file",
      join(work, "password"),
    ];
    const options = [
      "--yes",
      "--system-identifier",
      "station-7",
      "--username",
      "me",
      ...server,
      "--start-at-boot",
      "cron",
    ];

    // A home may lie behind a link, on a larger disk say.
    symlinkSync(work, join(work, "link"));
    const first = await setUp("--root", join(work, "link/ivy"), "--source", archiveIn(work), ...options);
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`is set up with version ${version}`),
    });
    expect(first.stdout + first.stderr).not.toContain("correct-horse");

    expect(readlinkSync(join(root, "active"))).toBe(readlinkSync(join(root, "last-good")));
    const config = JSON.parse(readFileSync(join(root, "active/config.json"), "utf8"));
    expect(config.general).toMatchObject({ software_version: version, system_identifier: "station-7" });
    expect(config.backend.mqtt_connection).toEqual({
      ...{ host: "broker.example", port: 8883, client_id: "station-7", username: "me" },
      ...{ password: "correct-horse", tls: {} },
    });
    for (const [path, mode] of [
      ["config", 0o700],
      ["active/config.json", 0o600],
      ["ivy-cli.sh", 0o755],
    ] as const) {
      expect(lstatSync(join(root, path)).mode & 0o777).toBe(mode);
    }
    const table = readFileSync(join(work, "table"), "utf8");
    expect(table).toBe(`0 4 * * * something else\n* * * * * "${root}/ivy-cli.sh" start >/dev/null 2>&1\n`);
    const info = execFileSync(join(root, "active/runtime"), [join(root, "active/cli"), "info"], {
      encoding: "utf8",
    });
    expect(info).toContain(`CLI version: ${version}`);

    const before = namesAndChanges(root);
    const again = await setUp("--source", join(work, `ivy-${version}`), "--yes", "--start-at-boot", "cron");
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("was set up already") });
    expect(namesAndChanges(root) === before).toBe(true);
    expect(readFileSync(join(work, "table"), "utf8")).toBe(table);

    const units = join(work, "units");
    await setUp("--source", join(work, `ivy-${version}`), "--start-at-boot", "systemd", "--unit-dir", units);
    expect(readFileSync(join(units, "ivy.service"), "utf8")).toContain(
      `ExecStart="${root}/ivy-cli.sh" "run"`,
    );

    const manifest = join(work, `ivy-${version}/package.json`);
    writeFileSync(
      manifest,
      readFileSync(manifest, "utf8").replace(`"version": "${version}"`, '"version": "99.0.0"'),
    );
    const other = await setUp("--source", join(work, `ivy-${version}`), ...ANSWERS);
    expect(other).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("changes its version by an update"),
    });
  });

  it("refuses a pnpm that is not the one of the lockfile", async () => {
    const { work, root, setUp } = setting();
    const server = createServer((_, response) => response.end("something else"));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    onTestFinished(() => void server.close());
    const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr } = await setUp("--source", archiveIn(work), "--registry", registry, ...ANSWERS);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("is not the pnpm") });
    expect(existsSync(join(root, version))).toBe(false);
  });

  it.each<[string, string, string]>([
    ["a 32-bit processor", "uname", "case $1 in -m) echo armv7l ;; *) echo Linux ;; esac"],
    ["a 32-bit system", "getconf", "echo 32"],
    ["another system", "uname", "echo Darwin"],
    ["a file system that loses files", "stat", "echo vfat"],
    ["a file system without links", "ln", "exit 1"],
    ["too little room", "df", "echo; echo /dev/sda1 1000000 900000 100000 90% /"],
    [
      "too few inodes",
      "df",
      "echo; case $1 in -Pi) echo /dev/sda1 9000 8000 1000 90% / ;; *) echo d 99999999 1 99999999 1% / ;; esac",
    ],
  ])("refuses %s in one sentence", async (_what, name, script) => {
    const { root, program, setUp } = setting();
    program(name, script);
    const { code, stderr } = await setUp(...ANSWERS);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^setup-node\.sh: [^\n]*\n$/);
    expect(existsSync(join(root, version))).toBe(false);
  });

  it.each<[string, string[], RegExp]>([
    [
      "what is not known and cannot be asked for",
      ["--yes", "--start-at-boot", "none"],
      /--system-identifier/,
    ],
    ["an option that there is not", [...ANSWERS, "--colour", "red"], /--colour is no option/],
    ["an option without its value", [...ANSWERS, "--host"], /--host needs a value/],
    ["a source that is none", [...ANSWERS, "--source", "nowhere"], /nowhere is neither a folder/],
  ])("refuses %s", async (_what, args, message) => {
    const { setUp } = setting();
    expect(await setUp(...args)).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
  });

  it.each(["100%", 'a"b', "a$b", "a`b", "a\\b"])(
    "refuses a root that nothing can be started in at boot (%s)",
    async (name) => {
      const { work, setUp } = setting();
      const { code, stderr } = await setUp("--root", join(work, name), ...ANSWERS);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("choose another --root") });
    },
  );

  it.each(["notes.txt", "other-cli.sh"])("refuses a folder that is another's (%s)", async (name) => {
    const { root, setUp } = setting();
    mkdirSync(root);
    writeFileSync(join(root, name), "");
    expect((await setUp(...ANSWERS)).code).toBe(1);
    expect(readdirSync(root)).toEqual([name]);
  });
});
