import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { readVerdict } from "../../src/root/trial.ts";
import { inParallel } from "../change/in-parallel.ts";
import { Node } from "../node.ts";

const PATIENCE = { timeout: 60_000, interval: 50 };
const AT_ONCE = 4;

/** All programs that the launcher starts, but those that turn into itself or into the agent. */
const PROGRAMS = [
  ...["cat", "find", "flock", "grep", "head", "ln", "mkdir", "mv", "readlink", "rm", "sed", "sha256sum"],
  ...["sleep", "sort", "sync", "tail", "timeout", "tr", "uniq"],
];

/** Stands before a program: notes each start of it, and is killed at one of them. */
const STAND_IN = `#!/bin/sh
printf x >>"$IVY_TEST_STARTS/\${0##*/}"
read -r program number <"$IVY_TEST_STARTS/killed"
if [ "$program" = "\${0##*/}" ] && [ "$(/usr/bin/wc -c <"$IVY_TEST_STARTS/$program")" = "$number" ]; then kill -KILL $$; fi
exec "/usr/bin/\${0##*/}" "$@"
`;

/** A start of a program by the launcher, counted for each program from 1. */
interface Start {
  program: string;
  number: number;
}

/** A node with a good version to try, sealed in an earlier boot, of which one program is killed at one of its starts. */
async function trying(killed: Start) {
  const node = await Node.with({ version: "1.0.0", behaviour: "works" });
  const old = node.active as string;
  const name = await node.begin({ version: "2.0.0", behaviour: "works" });
  const seal = join(node.paths.root, "2.0.0/.ivy-seal.json");
  writeFileSync(seal, node.read("2.0.0/.ivy-seal.json").replace(/"bootId": "[^"]*"/, '"bootId": "another"'));
  const [programs, starts] = [join(node.paths.root, "programs"), join(node.paths.root, "starts")];
  for (const folder of [programs, starts]) mkdirSync(folder);
  for (const program of PROGRAMS) {
    writeFileSync(join(programs, program), STAND_IN);
    chmodSync(join(programs, program), 0o755);
  }
  writeFileSync(join(starts, "killed"), `${killed.program} ${killed.number}\n`);
  node.environment = { ...node.environment, PATH: `${programs}:/usr/bin:/bin`, IVY_TEST_STARTS: starts };
  return { node, old, name, starts, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

/** What is started until a good version has proven itself. */
async function startsOfTrial(): Promise<Start[]> {
  await using trial = await trying({ program: "none", number: 0 });
  const { node, name, starts } = trial;
  await node.call("start");
  await vi.waitFor(() => expect(node.lastGood).toBe(name), PATIENCE);
  return readdirSync(starts)
    .filter((program) => program !== "killed")
    .flatMap((program) =>
      Array.from({ length: statSync(join(starts, program)).size }, (_, index) => ({
        program,
        number: index + 1,
      })),
    );
}

/** Whether the good version is in force in the end, and what was wrong until then. */
async function problemsOf(killed: Start): Promise<string[]> {
  await using trial = await trying(killed);
  const { node, old, name } = trial;
  await node.call("start");
  // As cron does a minute later; and an agent ends now and then where the launcher could not decide.
  if (node.lastGood !== name && node.guardians().length === 0) await node.call("start");
  if (node.starts(name).length === 0 && node.starts(old).length > 0) process.kill(node.agentPid(), "SIGTERM");
  await vi.waitFor(() => expect(node.lastGood).toBe(name), PATIENCE);
  return [
    ...(readVerdict(node.paths, name) === undefined ? [] : ["the version is condemned"]),
    ...(node.said.includes("two agents") ? ["two agents ran"] : []),
    ...(node.starts(name).length > 2 ? [`it was started ${node.starts(name).length} times`] : []),
    ...(node.active === name ? [] : [`active is ${node.active}`]),
  ];
}

describe.concurrent("the launcher's helpers", { timeout: 400_000 }, () => {
  it("may be killed, each at each of its starts, and a good version is tried all the same", async () => {
    const starts = await startsOfTrial();
    const problems = await inParallel(starts, AT_ONCE, async (start) => ({
      ...start,
      problems: await problemsOf(start).catch((error) => [String(error)]),
    }));
    expect(new Set(starts.map(({ program }) => program)).size).toBeGreaterThan(10);
    expect(problems.filter((one) => one.problems.length > 0)).toEqual([]);
  });

  it("may be killed over and over in a trial, and its time is over all the same", async () => {
    await using node = await Node.with({ version: "1.0.0", behaviour: "works" });
    const old = node.active as string;
    const name = await node.begin({ version: "2.0.0", behaviour: "hangs", trialSeconds: 3 });
    await node.call("start");
    let killed = 0;
    const deadline = performance.now() + 120_000;
    // More and more seldom, for a program may take long on a busy machine; but always before the trial would be over.
    for (let pause = 200; readVerdict(node.paths, name) === undefined; pause = Math.min(pause + 200, 2_000)) {
      if (performance.now() > deadline) break;
      killed += node.killHelpers();
      await sleep(pause);
    }
    await vi.waitFor(() => expect(node.starts(old)).toHaveLength(1), PATIENCE);
    expect(killed).toBeGreaterThan(1);
    expect(readVerdict(node.paths, name)).toMatchObject({ reason: "deadline" });
  });

  it("are none while an agent runs that has proven itself", async () => {
    await using node = await Node.with({ version: "1.0.0", behaviour: "works" });
    await node.call("start");
    expect(node.helpers()).toEqual([]);
    expect(node.guardians()).toHaveLength(1);
  });
});
