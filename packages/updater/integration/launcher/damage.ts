import {
  appendFileSync,
  existsSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { hasCompiler, setRoom, withFaults } from "@ivy/tooling/file-faults";
import { describe, expect, it, vi } from "vitest";
import { readPointer } from "../../src/root/pointers.ts";
import { readVerdict } from "../../src/root/trial.ts";
import { Node } from "../node.ts";

interface Place {
  node: Node;
  /** The generations. */
  old: string;
  name: string;
}

/** Two versions of which the first is proven; the second is about to be tried. */
async function twoVersions() {
  const node = await Node.with({ version: "1.0.0", behaviour: "works" });
  const old = node.active as string;
  const name = await node.begin({ version: "2.0.0", behaviour: "works", trialSeconds: 120 });
  return { node, old, name, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

const path = ({ node }: Place, ...names: string[]) => join(node.paths.root, ...names);
const generation = (place: Place, file: string) => path(place, ".ivy/gen", place.name, file);
const attempt = (place: Place, file: string) => {
  const folder = path(place, ".ivy/trial", place.name, "attempt-1");
  mkdirSync(folder, { recursive: true });
  return join(folder, file);
};

describe.concurrent("what is damaged before a trial", { timeout: 180_000 }, () => {
  it.each<[string, (place: Place) => void]>([
    ["a missing active", (place) => rmSync(place.node.paths.active)],
    [
      "an active that leads nowhere",
      (place) => {
        rmSync(place.node.paths.active);
        symlinkSync(".ivy/gen/9-a-9.0.0", place.node.paths.active);
      },
    ],
    [
      "an active that is a file",
      (place) => {
        rmSync(place.node.paths.active);
        writeFileSync(place.node.paths.active, "x");
      },
    ],
    ["a missing seal", (place) => rmSync(path(place, "2.0.0/.ivy-seal.json"))],
    ["an empty seal", (place) => truncateSync(path(place, "2.0.0/.ivy-seal.json"))],
    [
      "a seal of a newer form",
      (place) => writeFileSync(path(place, "2.0.0/.ivy-seal.json"), '{\n  "schema": 2\n}\n'),
    ],
    ["a changed manifest", (place) => appendFileSync(path(place, "2.0.0/.ivy-manifest"), "x")],
    ["a changed configuration", (place) => appendFileSync(generation(place, "config.json"), " ")],
    ["a missing configuration", (place) => rmSync(generation(place, "config.json"))],
    ["an empty gen.json", (place) => truncateSync(generation(place, "gen.json"))],
    ["a missing version", (place) => rmSync(path(place, "2.0.0"), { recursive: true })],
  ])("%s: the last good version runs, and nothing is decided", async (_, damage) => {
    await using place = await twoVersions();
    damage(place);
    await place.node.call("start");
    expect(place.node.starts()).toEqual(place.node.starts(place.old));
    expect(place.node.starts()).toHaveLength(1);
    expect([place.node.active, place.node.lastGood]).toEqual([place.old, place.old]);
    expect(readVerdict(place.node.paths, place.name)).toBeUndefined();
  });

  it.each<[string, string, (place: Place) => void, RegExp]>([
    ["a cut file", "corrupt", (place) => truncateSync(path(place, "2.0.0/cli.sh")), /cli\.sh/],
    ["a missing file", "corrupt", (place) => rmSync(path(place, "2.0.0/package.json")), /package\.json/],
    [
      "another link",
      "not-runnable",
      (place) => {
        rmSync(path(place, "2.0.0/bin/sh"));
        symlinkSync("/nowhere", path(place, "2.0.0/bin/sh"));
      },
      /^$/,
    ],
    ["a missing CLI", "not-runnable", (place) => rmSync(path(place, "2.0.0/cli.sh")), /^$/],
    [
      "a file with another content after a power cut",
      "corrupt",
      (place) => {
        const file = path(place, "2.0.0/.ivy-seal.json");
        writeFileSync(
          file,
          place.node.read("2.0.0/.ivy-seal.json").replace(/"bootId": "[^"]*"/, '"bootId": "another"'),
        );
        writeFileSync(path(place, "2.0.0/cli.sh"), place.node.read("2.0.0/cli.sh").replace("cli", "CLI"));
      },
      /cli\.sh: FAILED/,
    ],
  ])("%s: it is never started, and the verdict says %s", async (_, reason, damage, logTail) => {
    await using place = await twoVersions();
    damage(place);
    await place.node.call("start");
    expect(place.node.starts()).toEqual(place.node.starts(place.old));
    expect(place.node.active).toBe(place.old);
    expect(readVerdict(place.node.paths, place.name)).toMatchObject({
      reason,
      attempts: 0,
      logTail: expect.stringMatching(logTail),
    });
  });

  it.each<[string, (place: Place) => void]>([
    ["an attempt without its boot", (place) => attempt(place, "x")],
    [
      "an attempt with rubbish in its records",
      (place) => {
        for (const file of ["boot", "exit", "spent", "grace"])
          writeFileSync(attempt(place, file), file === "exit" ? "" : "08x\u0001\n");
      },
    ],
    [
      "a draft of an attempt",
      (place) => mkdirSync(path(place, ".ivy/trial", place.name, ".draft/boot"), { recursive: true }),
    ],
    [
      "numbers that are none",
      (place) => {
        const file = generation(place, "gen.json");
        writeFileSync(
          file,
          place.node
            .read(`.ivy/gen/${place.name}/gen.json`)
            .replace('"trialSeconds": 120', '"trialSeconds": 0x'),
        );
      },
    ],
  ])("%s: the trial goes on", async (_, damage) => {
    await using place = await twoVersions();
    damage(place);
    await place.node.call("start");
    expect(place.node.starts()).toEqual(place.node.starts(place.name));
    expect(place.node.starts()).toHaveLength(1);
  });
});

describe.concurrent("a last-good that is damaged", { timeout: 180_000 }, () => {
  it.each<[string, (place: Place) => void]>([
    ["missing", (place) => rmSync(place.node.paths.lastGood)],
    [
      "leading nowhere",
      (place) => {
        rmSync(place.node.paths.lastGood);
        symlinkSync(".ivy/gen/9-a-9.0.0", place.node.paths.lastGood);
      },
    ],
  ])("%s is repaired from what has proven itself", async (_, damage) => {
    await using place = await twoVersions();
    const { node, old, name } = place;
    mkdirSync(join(node.paths.trials, old));
    writeFileSync(join(node.paths.trials, old, "proven"), "");
    damage(place);
    await node.call("start");
    expect(readPointer(node.paths, "active")).toBe(name);
    expect(node.said[0]).toMatch(`started ${name}`);
    expect(node.said[0]).toMatch("trial=yes");
  });

  it.each(["bin/sh", "cli.sh"])("without its %s gives way to what has proven itself before", async (file) => {
    await using node = await Node.with({ version: "1.0.0", behaviour: "works" });
    const old = node.active as string;
    await node.call("start");
    const name = await node.begin({ version: "2.0.0", behaviour: "works" });
    await node.call("restart");
    await vi.waitFor(() => expect(node.lastGood).toBe(name), { timeout: 60_000 });
    await node.call("stop");
    node.remove(`2.0.0/${file}`);
    expect(await node.call("start")).toMatchObject({ code: 0 });
    expect([node.active, node.lastGood]).toEqual([old, old]);
    expect(node.starts(old)).toHaveLength(2);
    expect(readVerdict(node.paths, name)).toBeUndefined();
  });

  it("that cannot be started hinders no trial where nothing else has proven itself", async () => {
    await using place = await twoVersions();
    place.node.remove("1.0.0/cli.sh");
    await place.node.call("start");
    await vi.waitFor(() => expect(place.node.lastGood).toBe(place.name), { timeout: 60_000 });
  });

  it("leaves what is there, in safe mode, where nothing has proven itself", async () => {
    await using place = await twoVersions();
    rmSync(place.node.paths.lastGood);
    await place.node.call("start");
    expect(place.node.said[0]).toMatch(/trial= safe=1/);
    expect(existsSync(place.node.paths.lastGood)).toBe(false);
  });

  it("and an active that is so too are repaired together", async () => {
    await using place = await twoVersions();
    const { node, old } = place;
    mkdirSync(join(node.paths.trials, old));
    writeFileSync(join(node.paths.trials, old, "proven"), "");
    for (const link of [node.paths.active, node.paths.lastGood]) rmSync(link);
    await node.call("start");
    expect([node.active, node.lastGood]).toEqual([old, old]);
    expect(node.said[0]).toMatch(/trial= safe= /);
  });
});

describe.concurrent("a root that cannot be written", { timeout: 180_000 }, () => {
  it.skipIf(!hasCompiler)(
    "because it is full runs the last good version, and the trial when there is room (needs cc)",
    async () => {
      await using place = await twoVersions();
      const { node, old, name } = place;
      const room = join(node.paths.root, "room");
      setRoom(room, 0);
      node.environment = withFaults(node.paths.root, { folder: join(node.paths.root, ".ivy"), room });
      await node.call("start");
      expect(node.said[0]).toMatch(`started ${old}`);
      expect([node.active, node.lastGood]).toEqual([name, old]);
      expect(readVerdict(node.paths, name)).toBeUndefined();
      setRoom(room, 1_000_000);
      process.kill(node.agentPid(), "SIGTERM");
      await vi.waitFor(() => expect(node.lastGood).toBe(name), { timeout: 60_000 });
      expect(node.said).not.toContain("two agents");
    },
  );

  it("for whatever reason runs the last good version", async () => {
    await using place = await twoVersions();
    const { node, old, name } = place;
    // A folder where a file is to be, and the other way round, for a root that is read-only: these tests may run as root.
    for (const file of ["launcher.log", "main.stderr"]) mkdirSync(join(node.paths.data, file));
    rmSync(node.paths.trials, { recursive: true });
    writeFileSync(node.paths.trials, "");
    const { code, stdout } = await node.call("start");
    expect([code, stdout]).toEqual([0, `${node.agentPid()}\n`]);
    expect(node.said[0]).toMatch(`started ${old}`);
    expect([node.active, node.lastGood]).toEqual([name, old]);
    node.remove("active");
    await node.call("restart");
    expect(node.starts(old)).toHaveLength(2);
    expect([node.active, node.lastGood]).toEqual([old, old]);
  });
});

/** Lists one more among the processes of an agent, which does not die. */
const STUCK = `#!/bin/sh
/usr/bin/grep "$@"
code=$?
case $1 in -lzsF) echo /proc/99999999/environ ;; esac
exit "$code"
`;

describe.concurrent("a process that waits inside the kernel", { timeout: 180_000 }, () => {
  it("and does not die is named, and keeps no node from starting", async () => {
    await using node = await Node.with({ version: "1.0.0", behaviour: "works" });
    const launcher = node.read("ivy-cli.sh").replace(/^SECONDS_TO_DIE=30$/m, "SECONDS_TO_DIE=1");
    writeFileSync(node.paths.launcher, launcher);
    const programs = join(node.paths.root, "programs");
    mkdirSync(programs);
    writeFileSync(join(programs, "grep"), STUCK, { mode: 0o755 });
    node.environment = { ...node.environment, PATH: `${programs}:/usr/bin:/bin` };
    expect(await node.call("start")).toMatchObject({ code: 0 });
    expect(node.starts(node.active)).toHaveLength(1);
    expect(node.read("data/launcher.log")).toContain("Going on without the death of: 99999999");
  });
});
