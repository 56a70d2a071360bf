import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { runStep, type StepOptions } from "../src/steps/run-step.ts";

/** Words that only the processes of one test have on their command line. */
const unique = () => `ivy-${randomUUID()}`;

function running(word: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "utf8").includes(word);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function step(script: string, options: Partial<StepOptions> = {}): Promise<{ output: string }> {
  return runStep({
    step: "test",
    command: ["/bin/sh", "-c", script],
    cwd: tmpdir(),
    env: { PATH: "/usr/bin:/bin" },
    timeoutMs: 60_000,
    secrets: [],
    signal: new AbortController().signal,
    ...options,
  });
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 30_000, interval: 10 });

describe("a step of an update", () => {
  it("that hangs and heeds no signal is killed when its time is up", async () => {
    const word = unique();
    const script = `trap '' TERM INT HUP; while :; do sleep 1000; : ${word}; done`;
    await expect(step(script, { timeoutMs: 300 })).rejects.toMatchObject({
      name: "UpdateRejectedError",
      code: "IVY_TEST_TIMEOUT",
    });
    expect(running(word)).toEqual([]);
  });

  it("leaves no daemon behind, in whatever session, though it has succeeded", async () => {
    const word = unique();
    const daemon = `setsid sh -c "(setsid sh -c 'sleep 1000; : ${word}' &) ; sleep 1000; : ${word}" >/dev/null 2>&1 &`;
    await step(`${daemon} until pgrep -f "^sleep 1000" >/dev/null; do sleep 0.01; done; echo done`);
    expect(running(word)).toEqual([]);
  });

  it("does not wait for a daemon that holds on to its output", async () => {
    const word = unique();
    const { output } = await step(`setsid sh -c 'sleep 1000; : ${word}' & echo done`);
    expect(output).toBe("done\n");
    expect(running(word)).toEqual([]);
  });

  it("that prints 1 GB is kept to the last 64 KiB", { timeout: 240_000 }, async () => {
    const before = process.memoryUsage().rss;
    const { output } = await step("yes 0123456789abcdef | head -c 1000000000; echo; echo the end");
    expect(output.length).toBe(64 * 1024);
    expect(output).toMatch(/the end\n$/);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });

  it.each(["kill -KILL $PPID; sleep 1000", "kill -KILL 0", "kill -KILL $$"])(
    "that kills its own (%s) has failed, and nothing is left",
    async (script) => {
      const word = unique();
      await expect(step(`: ${word}; sleep 1000 & ${script}`)).rejects.toMatchObject({
        code: "IVY_TEST_FAILED",
      });
      expect(running(word)).toEqual([]);
    },
  );

  it("that is killed, as the kernel does where memory is short, says nothing of the version", async () => {
    const failing = step("kill -KILL $$", { step: "build" });
    await expect(failing).rejects.toMatchObject({ name: "UpdateDeferredError", code: "IVY_KILLED" });
  });

  it("that fails is reported with its exit code and what it printed, without secrets", async () => {
    const failing = step("echo token=hunter2; echo why >&2; exit 3", { step: "build", secrets: ["hunter2"] });
    await expect(failing).rejects.toMatchObject({
      name: "UpdateRejectedError",
      code: "IVY_BUILD_FAILED",
      step: "build",
      message: expect.stringContaining("exit code 3"),
      output: expect.stringMatching(/token=\[redacted\]\n(.*\n)*why|why\n(.*\n)*token=\[redacted\]/),
    });
  });

  it("that fails because the disk is full says nothing of the version", async () => {
    const failing = step("echo 'cp: error writing: No space left on device' >&2; exit 1");
    await expect(failing).rejects.toMatchObject({ name: "UpdateDeferredError", code: "IVY_NO_ROOM" });
  });

  it("ends when it is told to", async () => {
    const word = unique();
    const controller = new AbortController();
    const stopped = step(`echo up; sleep 1000; : ${word}`, {
      signal: controller.signal,
      onLine: () => controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ name: "UpdateDeferredError", code: "IVY_STOPPED" });
    expect(running(word)).toEqual([]);
  });

  it("dies with the process that runs it, and so does what it has started", async () => {
    const word = unique();
    const fixture = join(import.meta.dirname, "fixtures/run-step.ts");
    const command = ["/bin/sh", "-c", `sh -c 'sleep 1000; : ${word}-inner'; : ${word}`];
    const parent = spawn(process.execPath, ["--conditions=@ivy/source", fixture, ...command]);
    await until(() => expect(running(`${word}-inner`).length).toBeGreaterThan(3));
    parent.kill("SIGKILL");
    await once(parent, "exit");
    await until(() => expect(running(word)).toEqual([]));
  });
});
