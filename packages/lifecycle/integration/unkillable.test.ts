import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, it, onTestFinished, vi } from "vitest";
import { LifecycleManager, procedureEntrypoint, systemMonotonicMs } from "../src/index.ts";
import { pidOf, temporary, until } from "./support.ts";

// Plays a kernel that lets go of no process.
vi.mock("../src/spawn-child.ts", async (original) => ({ ...(await original<object>()), killGroup: vi.fn() }));

afterEach(() => void vi.useRealTimers());

it("a process that does not even end when it is killed is left behind, with a word", async () => {
  const dataDir = temporary();
  const logger = { debug: vi.fn(), info: vi.fn(), warning: vi.fn(), error: vi.fn() };
  const manager = new LifecycleManager({
    config: { behaviour: "stubborn" },
    entrypoint: procedureEntrypoint(pathToFileURL(join(import.meta.dirname, "fixtures/child.ts"))),
    name: "probe",
    variant: "procedure",
    logger,
    patience: { missedIntervals: 2, shortestMs: 1_000, startMs: 600_000 },
    settings: {
      dataDir,
      configDir: dataDir,
      logsDir: join(dataDir, "logs"),
      verbosity: { file_archive: "DEBUG", console_prints: null, message_sending: null },
      revision: 1,
      secrets: [],
      agent: { name: "ivy", version: "2.0.0", startedAt: systemMonotonicMs() },
    },
  });
  manager.startProcedure();
  const pid = await until(() => pidOf(join(dataDir, "probe.pid")));
  onTestFinished(() => void process.kill(pid, "SIGKILL"));
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  expect(manager.checkProcedureStatus().dueInMs).toBeGreaterThan(0);
  const end = manager.teardown("stop");
  // It is not told to be stuck meanwhile, however long it may take.
  expect(manager.checkProcedureStatus().dueInMs).toBeUndefined();
  await vi.advanceTimersByTimeAsync(61_000);
  expect(await end).toBeUndefined();
  expect(logger.error).toHaveBeenCalledWith(
    expect.stringContaining(`"probe" (PID ${pid}) has been killed and does not end`),
    expect.stringContaining("a device that does not answer"),
  );
});
