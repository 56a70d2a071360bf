import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { proveItself } from "../src/trial.ts";

/** A trial of what works but for its connection, while somebody asks a broker that does not answer. */
function startTrial(brokerAnswers: (signal: AbortSignal) => Promise<boolean>) {
  const attempt = mkdtempSync(join(tmpdir(), "ivy-attempt-"));
  onTestFinished(() => rmSync(attempt, { recursive: true }));
  const asked = Promise.withResolvers<void>();
  const stop = new AbortController();
  const warnings: string[] = [];
  const trial = { served: false };
  const proven = proveItself({
    attempt,
    missing: () => [],
    isServed: () => trial.served,
    brokerAnswers: (signal) => {
      asked.resolve();
      return brokerAnswers(signal);
    },
    logger: { info() {}, warning: (text) => warnings.push(text) },
    signal: stop.signal,
  });
  return { asked: asked.promise, proven, stop, warnings, trial };
}

/** As the agent asks: in a process of its own, which is killed when nobody wants to know any more. */
async function askInProcess(signal: AbortSignal): Promise<boolean> {
  const child = spawn("sleep", ["60"], { stdio: "ignore", signal });
  const [code] = await once(child, "close");
  return code === 0;
}

// A rejection that nobody handles ends an agent; here it fails the run.
describe.concurrent("a trial during which a broker is asked", { timeout: 30_000 }, () => {
  it("is proven when the server takes a message meanwhile", async () => {
    const { asked, proven, warnings, trial } = startTrial(askInProcess);
    await asked;
    trial.served = true;
    expect(await proven).toBe(true);
    expect(warnings).toEqual([]);
  });

  it("can be stopped meanwhile", async () => {
    const { asked, proven, stop, warnings } = startTrial(askInProcess);
    await asked;
    stop.abort();
    expect(await proven).toBe(false);
    expect(warnings).toEqual([]);
  });

  it("goes on where nobody can be asked, and tells why", async () => {
    const { asked, proven, stop, warnings } = startTrial(async () => {
      throw new Error("spawn EAGAIN");
    });
    await asked;
    await vi.waitFor(() => expect(warnings).toHaveLength(1), { timeout: 20_000 });
    stop.abort();
    expect(await proven).toBe(false);
  });
});
