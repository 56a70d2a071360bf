import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, type TestContext, vi } from "vitest";
import { proveItself } from "../src/trial.ts";

/** A trial of what works but for its connection, while somebody asks a broker that does not answer. */
function startTrial(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  brokerAnswers: (signal: AbortSignal) => Promise<boolean>,
  graceBefore?: string,
) {
  const attempt = mkdtempSync(join(tmpdir(), "ivy-attempt-"));
  const graceFile = join(attempt, "grace");
  if (graceBefore !== undefined) writeFileSync(graceFile, graceBefore);
  onTestFinished(() => rmSync(attempt, { recursive: true }));
  const asked = Promise.withResolvers<void>();
  const stop = new AbortController();
  const warnings: string[] = [];
  const trial = { served: false, missing: [] as string[] };
  const proven = proveItself({
    attempt,
    missing: () => trial.missing,
    missingAtLast: () => [],
    unproven: () => undefined,
    isServed: () => trial.served,
    brokerAnswers: (signal) => {
      asked.resolve();
      return brokerAnswers(signal);
    },
    logger: { info() {}, warning: (text) => warnings.push(text) },
    signal: stop.signal,
  });
  const grace = () => (existsSync(graceFile) ? readFileSync(graceFile, "utf8").trim() : "");
  return { asked: asked.promise, proven, stop, warnings, trial, grace };
}

/** As the agent asks: in a process of its own, which is killed when nobody wants to know any more. */
async function askInProcess(signal: AbortSignal): Promise<boolean> {
  const child = spawn("sleep", ["60"], { stdio: "ignore", signal });
  const [code] = await once(child, "close");
  return code === 0;
}

// A rejection that nobody handles ends an agent; here it fails the run.
describe.concurrent("a trial during which a broker is asked", { timeout: 30_000 }, () => {
  it("is proven when the server takes a message meanwhile", async (test) => {
    const { asked, proven, warnings, trial } = startTrial(test, askInProcess);
    await asked;
    trial.served = true;
    expect(await proven).toBe(true);
    expect(warnings).toEqual([]);
  });

  it("can be stopped meanwhile", async (test) => {
    const { asked, proven, stop, warnings } = startTrial(test, askInProcess);
    await asked;
    stop.abort();
    expect(await proven).toBe(false);
    expect(warnings).toEqual([]);
  });

  it("goes on where nobody can be asked, and tells why", async (test) => {
    const { asked, proven, stop, warnings } = startTrial(test, async () => {
      throw new Error("spawn EAGAIN");
    });
    await asked;
    await vi.waitFor(() => expect(warnings).toHaveLength(1), { timeout: 20_000 });
    stop.abort();
    expect(await proven).toBe(false);
  });
});

describe.concurrent("the time of a trial", { timeout: 60_000 }, () => {
  const soon = { timeout: 20_000 };

  it("stands still provisionally while the broker is asked, however short the trial is", async (test) => {
    const answer = Promise.withResolvers<boolean>();
    const { asked, proven, stop, grace } = startTrial(test, () => answer.promise);
    await vi.waitFor(() => expect(grace()).toBe("40 asking"), { timeout: 10_000 });
    await asked;
    expect(grace()).toBe("40 asking");
    answer.resolve(false);
    // The seconds of the asking are among them.
    await vi.waitFor(() => expect(Number(grace())).toBeGreaterThanOrEqual(60 + 5), soon);
    stop.abort();
    await proven;
  });

  it("runs again where the broker answers others, or something else does not work either", async (test) => {
    const answering = startTrial(test, async () => true);
    await vi.waitFor(() => expect(answering.grace()).toBe("40 asking"), soon);
    await vi.waitFor(() => expect(answering.grace()).toBe("0"), soon);

    const broken = startTrial(test, () => new Promise(() => undefined));
    await vi.waitFor(() => expect(broken.grace()).toBe("40 asking"), soon);
    broken.trial.missing.push("a procedure");
    await vi.waitFor(() => expect(broken.grace()).toBe("0"), soon);
    for (const { stop, proven } of [answering, broken]) {
      stop.abort();
      await proven;
    }
  });

  it("leaves a node time to connect again after an outage", async (test) => {
    const answers = [false, true];
    const { proven, stop, grace, warnings } = startTrial(test, async () => answers.shift() ?? true);
    await vi.waitFor(() => expect(warnings.at(-1)).toMatch(/answers others/), { timeout: 40_000 });
    expect(Number(grace())).toBeGreaterThanOrEqual(60 + 5);
    stop.abort();
    await proven;
  });

  it("does not go back in another round of the same attempt", async (test) => {
    const { asked, proven, stop, grace } = startTrial(test, async () => false, "1800\n");
    await vi.waitFor(() => expect(grace()).toBe("1840 asking"), soon);
    await asked;
    await vi.waitFor(() => expect(Number(grace())).toBeGreaterThanOrEqual(1_860 + 5), soon);
    stop.abort();
    await proven;
  });
});
