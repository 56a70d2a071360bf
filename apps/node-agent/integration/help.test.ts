import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configFor } from "./support/config.ts";
import { deployNode } from "./support/deployed-node.ts";

const CONFIG = configFor({ host: "127.0.0.1", port: 9 });

const COMMANDS = [
  ...["info", "start", "is-running", "stop", "restart", "status", "run", "export", "doctor", "support"],
  ...["config check", "config diff", "config explain", "config schema", "logs", "logs level"],
  ...["queue", "queue count", "queue peek", "queue dead", "queue requeue"],
];

describe("the help", () => {
  it("has examples for every command, and lists all of them", async () => {
    const node = deployNode(CONFIG);
    const { stdout } = await node.cli(["--help"]);
    for (const command of COMMANDS) expect(stdout).toContain(`\n  ${command.split(" ")[0]}`);
    const helps = COMMANDS.map(async (command) => {
      const help = await node.cli([...command.split(" "), "--help"]);
      expect(help.code, command).toBe(0);
      expect(help.stdout, command).toMatch(new RegExp(`\nExamples:\n  ivy ${command}`));
    });
    await Promise.all(helps);
  });

  it.each([
    ["statu", "status"],
    ["config exlain", "explain"],
    ["queue pek", "peek"],
    ["logs levle", "level"],
    ["queue peek --jsn", "--json"],
    ["logs --folow", "--follow"],
    ["doctor --jsn", "--json"],
  ])("suggests another word for %s", async (words, meant) => {
    const { code, stderr } = await deployNode(CONFIG).cli(words.split(" "));
    expect([code, stderr]).toEqual([1, expect.stringContaining(`Did you mean ${meant}?`)]);
  });
});

describe("completion", () => {
  const suggestions = async (...words: string[]) => {
    const { stdout } = await deployNode(CONFIG).cli(["complete", "--", ...words]);
    return stdout.split("\n").map((line) => line.split("\t")[0]);
  };

  it("suggests commands, options, values, keys of the configuration and procedures", async () => {
    expect(await suggestions("do")).toContain("doctor");
    expect(await suggestions("queue", "")).toEqual(
      expect.arrayContaining(["count", "peek", "dead", "requeue"]),
    );
    expect(await suggestions("logs", "--le")).toContain("--level");
    expect(await suggestions("logs", "--level", "")).toContain("WARNING");
    expect(await suggestions("config", "explain", "backend.max_d")).toContain("backend.max_drain_time");
    expect(await suggestions("run", "")).toEqual(
      expect.arrayContaining(["dummy-procedure", "system-checks"]),
    );
    expect(await suggestions("logs", "--origin", "")).toEqual(
      expect.arrayContaining(["main", "dummy-procedure"]),
    );
  });

  it("leaves the names of files to the shell where a command takes one, and only there", async () => {
    // What the shell shall do is the last line.
    const [AS_USUAL, NO_FILES] = [":0", ":4"];
    for (const words of ["apply", "config check", "config diff before.json", "support --output"])
      expect((await suggestions(...words.split(" "), "")).slice(-2), words).toEqual([AS_USUAL, ""]);
    for (const words of ["queue", "logs --text", "run"])
      expect(await suggestions(...words.split(" "), ""), words).toContain(NO_FILES);
  });

  it("works in bash, where files can be completed too", async () => {
    const node = deployNode(CONFIG);
    const script = (await node.cli(["completion", "bash"])).stdout;
    const bin = join(node.root, "bin");
    mkdirSync(bin);
    const cli = join(node.root, "apps/node-agent/dist/cli.js");
    writeFileSync(join(bin, "ivy"), `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`);
    chmodSync(join(bin, "ivy"), 0o755);
    writeFileSync(join(node.root, "completion.bash"), script);
    const asked = `source ${node.root}/completion.bash
      COMP_WORDS=(ivy queue pe); COMP_CWORD=2; COMP_LINE="ivy queue pe"; COMP_POINT=12
      _get_comp_words_by_ref() { cur=pe; prev=queue; words=("\${COMP_WORDS[@]}"); cword=2; }
      __ivy_complete; echo "\${COMPREPLY[@]}"; complete -p ivy`;
    const env = { ...process.env, PATH: `${bin}:/usr/bin:/bin` };
    const said = execFileSync("bash", ["-c", asked], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect(said).toBe("peek\ncomplete -o default -F __ivy_complete ivy\n");
  });
});
