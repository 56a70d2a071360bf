import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, chmodSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { switchPointer } from "../../src/root/pointers.ts";
import { Node } from "../node.ts";

const WORKS = { version: "1.0.0", behaviour: "works" };
const PATIENCE = { timeout: 120_000, interval: 50 };

const isRoot = process.getuid?.() === 0;
const hasShellcheck = spawnSync("shellcheck", ["--version"], { stdio: "ignore" }).status === 0;

describe.skipIf(!hasShellcheck)("the launcher (needs shellcheck)", () => {
  it("is sound", () => {
    const launcher = join(import.meta.dirname, "../../launcher/ivy-cli.sh");
    expect(spawnSync("shellcheck", ["-s", "dash", launcher], { encoding: "utf8" }).stdout).toBe("");
  });
});

describe.concurrent("start", { timeout: 180_000 }, () => {
  it("returns when the agent is up, prints its process id, and is silent where it runs already", async () => {
    await using node = await Node.with(WORKS);
    const first = await node.call("start");
    const [line] = node.said;
    expect(first).toEqual({ code: 0, stdout: `${line?.split(" ")[2]}\n`, stderr: "" });
    expect(line).toMatch(/trial= safe= --background$/);
    expect(await node.call("start")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(node.starts()).toHaveLength(1);
  });

  it("starts one agent where it is called several times at the same instant", async () => {
    await using node = await Node.with(WORKS);
    const answers = await Promise.all(Array.from({ length: 6 }, () => node.call("start")));
    expect(answers.map(({ code, stderr }) => [code, stderr])).toEqual(answers.map(() => [0, ""]));
    expect(answers.filter(({ stdout }) => stdout !== "")).toHaveLength(1);
    expect(node.starts()).toHaveLength(1);
  });

  it("says what the agent has said where it does not come up", async () => {
    await using node = await Node.with({ version: "1.0.0", behaviour: "exits 4" });
    const { code, stderr } = await node.call("start");
    expect(code).toBe(1);
    expect(stderr).toMatch(/not up yet.*Error: "no" such/);
  });

  it("says that nothing can be started in an empty root", async () => {
    await using node = new Node();
    expect(await node.call("start")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/nothing below .* can be started/),
    });
  });

  it("ends what an earlier launcher has left before it starts anything, and spares the processes of other roots", async () => {
    await using other = await Node.with(WORKS);
    await other.call("start");
    await using node = await Node.with({ version: "1.0.0", behaviour: "hangs" });
    await node.call("start");
    const [orphan] = node.agents();
    await node.killGuardians();
    await node.call("start");
    expect(node.starts()).toHaveLength(2);
    expect(node.said).not.toContain("two agents");
    expect(node.agents()).not.toContain(orphan);
    expect(other.said).not.toContain("ended");
  });
});

describe.concurrent("an agent", { timeout: 180_000 }, () => {
  it("is started again at once when it has begun a change", async () => {
    await using node = await Node.with(WORKS);
    await node.call("start");
    const name = await node.begin({ version: "2.0.0", behaviour: "works" });
    process.kill(node.agentPid(), "SIGTERM");
    await vi.waitFor(() => expect(node.lastGood).toBe(name), PATIENCE);
    expect(node.starts(name)).toHaveLength(1);
  });

  it("ends when the launcher is killed", async () => {
    await using node = await Node.with(WORKS);
    await node.call("start");
    await node.killGuardians();
    await vi.waitFor(() => expect(node.said).toContain("ended"), PATIENCE);
  });

  it("is started in safe mode when it has ended five times in a row, and stays so", async () => {
    await using node = await Node.with({ version: "1.0.0", behaviour: "crashes" });
    await node.call("start");
    await vi.waitFor(() => expect(node.starts()).toHaveLength(6), PATIENCE);
    const safe = node.starts().map((line) => /safe=(1?)/.exec(line)?.[1]);
    expect(safe).toEqual(["", "", "", "", "", "1"]);
    expect(node.agents().length).toBeGreaterThan(0);
  });

  it("that has ended in safe mode too is tried as usual after a while", async () => {
    await using node = await Node.with({ version: "1.0.0", behaviour: "crashes" });
    const pauses = { "pause 5": "pause 0", "pause 15": "pause 0", "SAFE_MODE=60": "SAFE_MODE=4" };
    const launcher = Object.entries(pauses).reduce(
      (text, [from, to]) => text.replace(new RegExp(`${from}(?=\\s)`), to),
      node.read("ivy-cli.sh"),
    );
    writeFileSync(node.paths.launcher, launcher);
    await node.call("start");
    await vi.waitFor(() => expect(node.starts()).toHaveLength(6), PATIENCE);
    const begun = performance.now();
    process.kill(node.agentPid(), "SIGTERM");
    // It is as broken as it was.
    await vi.waitFor(() => expect(node.starts()).toHaveLength(8), PATIENCE);
    const safe = node.starts().map((line) => /safe=(1?)/.exec(line)?.[1]);
    expect(safe.slice(5)).toEqual(["1", "", "1"]);
    expect(performance.now() - begun).toBeGreaterThan(3_500);
  });

  it("costs the launcher no wake-up while it runs", async () => {
    await using node = await Node.with(WORKS);
    await node.begin({ version: "2.0.0", behaviour: "works" });
    await node.call("start");
    const switches = () =>
      Number(
        /^voluntary_ctxt_switches:\s*(\d+)/m.exec(
          readFileSync(`/proc/${node.guardians()[0]}/status`, "utf8"),
        )?.[1],
      );
    let before = 0;
    // From the commit on, which is noticed within a second.
    await vi.waitFor(
      () => {
        const last = before;
        before = switches();
        expect(before).toBe(last);
      },
      { timeout: 40_000, interval: 2_500 },
    );
  });
});

describe.concurrent("stop", { timeout: 180_000 }, () => {
  it("asks the agent to end, and returns when everything is gone", async () => {
    await using node = await Node.with(WORKS);
    await node.call("start");
    expect(await node.call("stop")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(node.said).toContain("ended");
    expect([...node.guardians(), ...node.agents()]).toEqual([]);
    expect(await node.call("stop")).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("ends a trial without a verdict", async () => {
    await using node = await Node.with(WORKS);
    const name = await node.begin({ version: "2.0.0", behaviour: "unhealthy" });
    await node.call("start");
    await node.call("stop");
    expect(node.active).toBe(name);
    expect(node.read(`.ivy/trial/${name}/attempt-1/exit`)).toBe("signal\n");
    expect(node.read(`.ivy/trial/${name}/verdict.json`)).toBe("");
  });

  it("ends a trial without a verdict also where the agent takes longer to end than the trial lasts", async () => {
    await using node = await Node.with(WORKS);
    const name = await node.begin({ version: "2.0.0", behaviour: "drains 14", trialSeconds: 10 });
    await node.call("start");
    await node.call("stop");
    expect(node.read(`.ivy/trial/${name}/attempt-1/exit`)).toBe("signal\n");
    expect(Number(node.read(`.ivy/trial/${name}/attempt-1/spent`))).toBeLessThan(10);
    await node.call("start");
    expect(node.starts(name)).toHaveLength(2);
    expect(node.read(`.ivy/trial/${name}/verdict.json`)).toBe("");
  });

  it("gives up on a launcher that never lets go, and says what can be done", async () => {
    await using node = await Node.with(WORKS);
    // With the time for a drain, of which nothing is known, 2 s.
    const launcher = node.read("ivy-cli.sh").replace("SECONDS_TO_LET_GO=150", "SECONDS_TO_LET_GO=-598");
    writeFileSync(node.paths.launcher, launcher);
    await node.call("start");
    const [guardian = 0] = node.guardians();
    process.kill(guardian, "SIGSTOP");
    const said = expect.stringMatching(`\\(PID ${guardian}\\) has not ended within 2 s: .* Kill it, or`);
    expect(await node.call("stop")).toEqual({ code: 1, stdout: "", stderr: said });
    expect(await node.call("restart")).toEqual({ code: 1, stdout: "", stderr: said });
    process.kill(guardian, "SIGCONT");
    expect(await node.call("stop")).toMatchObject({ code: 0 });
    expect(node.starts()).toHaveLength(1);
  });

  it("is half of restart", async () => {
    await using node = await Node.with(WORKS);
    await node.call("start");
    const { code, stdout } = await node.call("restart");
    expect(code).toBe(0);
    expect(Number(stdout)).toBe(node.agentPid());
    expect(node.starts()).toHaveLength(2);
  });
});

describe.concurrent("restart", { timeout: 180_000 }, () => {
  const edit = (node: Node, text: string) => appendFileSync(join(node.paths.active, "config.json"), text);

  it.each([
    ["is broken", "broken", /^it is broken\n.*nothing has been stopped\n$/s],
    ["was changed by hand", " ", /not what was sealed: .*`apply`\n.*nothing has been stopped\n$/s],
  ])("stops nothing where the configuration %s", async (_, text, said) => {
    await using node = await Node.with(WORKS);
    await node.call("start");
    edit(node, text);
    const refusal = { code: 1, stdout: "", stderr: expect.stringMatching(said) };
    expect(await node.call("restart")).toEqual(refusal);
    expect(node.said).not.toContain("ended");
    expect(node.guardians()).toHaveLength(1);
  });

  it("goes on where no CLI can say whether the configuration is sound", async () => {
    await using node = await Node.with(WORKS);
    writeFileSync(join(node.paths.root, "1.0.0/cli.sh"), "exit 1\n");
    await node.call("start");
    expect(await node.call("restart")).toMatchObject({ code: 0, stderr: "" });
    expect(node.starts()).toHaveLength(2);
  });
});

describe.concurrent("run", { timeout: 180_000 }, () => {
  it("stays in the foreground, passes a signal on, and ends with the agent", async () => {
    await using node = await Node.with(WORKS);
    const launcher = node.run();
    await vi.waitFor(() => expect(node.starts()).toHaveLength(1), PATIENCE);
    expect(node.said[0]).toMatch(/trial= safe=$/);
    expect((await node.call("run")).code).toBe(75);
    launcher.kill("SIGTERM");
    expect(await once(launcher, "exit")).toEqual([0, null]);
    expect(node.said).toContain("ended");
  });

  it("says that nothing can be started in an empty root, with exit code 78", async () => {
    await using node = new Node();
    const { code, stderr } = await node.call("run");
    expect([code, stderr]).toEqual([78, expect.stringMatching(/nothing below .* can be started/)]);
  });
});

const callAsNobody = (node: Node, command: string) =>
  node.callBy("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", node.paths.launcher, command);

describe.skipIf(!isRoot)("anybody but the owner (needs root)", { timeout: 180_000 }, () => {
  it.each(["start", "stop", "restart", "run"])(
    "is told by %s whose node it is, and changes nothing",
    async (command) => {
      await using node = await Node.with(WORKS);
      chmodSync(node.paths.root, 0o755);
      const refusal = {
        code: 77,
        stdout: "",
        stderr: `ivy-cli.sh: the node in ${node.paths.root} belongs to root: run this as that user\n`,
      };
      expect(await callAsNobody(node, command)).toEqual(refusal);
      await node.call("start");
      expect(await callAsNobody(node, command)).toEqual(refusal);
      expect(node.said).not.toContain("ended");
      expect(node.starts()).toHaveLength(1);
    },
  );

  it("is told by stop that it runs where the folder is theirs too", async () => {
    await using node = await Node.with(WORKS);
    chmodSync(node.paths.root, 0o777);
    await node.call("start");
    const { code, stderr } = await callAsNobody(node, "stop");
    expect(code).toBe(77);
    expect(stderr).toBe("ivy-cli.sh: it was started by another user: run this as that user, or as root\n");
    expect(node.guardians()).toHaveLength(1);
  });
});

describe.concurrent("every other command", { timeout: 180_000 }, () => {
  it("goes to the CLI of the active version, or of the last good one where that has none", async () => {
    await using node = await Node.with(WORKS);
    expect((await node.call("info", "a b")).stdout).toBe(`cli of ${node.active}: info a b run=\n`);
    const name = await node.add({ version: "2.0.0", behaviour: "works" });
    switchPointer(node.paths, "active", name);
    expect((await node.call("info")).stdout).toMatch(`cli of ${name}`);
    node.remove("2.0.0/cli.sh");
    expect((await node.call("info")).stdout).toMatch(`cli of ${node.lastGood}`);
  });

  it("leaves to the agent the environment and the umask of who has called it, but for what another agent was told", async () => {
    await using node = await Node.with({ version: "1.0.0", behaviour: "works" });
    node.environment = {
      IVY_TRIAL: "/x",
      IVY_SAFE_MODE: "1",
      IVY_RUN: `${node.paths.root}:x:y`,
      COLOUR: "blue",
    };
    await node.call("start");
    expect(node.said[0]).toMatch(/trial= safe= --background$/);
    const environment = readFileSync(`/proc/${node.agentPid()}/environ`, "utf8").split("\0");
    expect(environment).toContain("COLOUR=blue");
    expect(environment).toContain(`IVY_GENERATION=${join(node.paths.generations, node.active as string)}`);
    const umask = /^Umask:\s*(\d+)/m.exec(readFileSync(`/proc/${node.agentPid()}/status`, "utf8"))?.[1];
    expect(umask).toBe(process.umask().toString(8).padStart(4, "0"));
  });

  it("finds its root through a link to the launcher", async () => {
    await using node = await Node.with(WORKS);
    await using elsewhere = new Node();
    const link = join(elsewhere.paths.root, "ivy");
    symlinkSync(node.paths.launcher, link);
    expect((await node.callBy(link, "info")).stdout).toMatch(`cli of ${node.active}`);
  });
});
