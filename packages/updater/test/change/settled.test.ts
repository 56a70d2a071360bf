import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readPointer, switchPointer } from "../../src/root/pointers.ts";
import { configuration, forever, rollBack, setUp } from "./node.ts";

describe("the change back to a configuration that was in force before", () => {
  it("is a trial with all its attempts, and accepted when that has ended", async () => {
    const { paths, state, create, arrive, handled } = await setUp();
    const first = readPointer(paths, "active") ?? "";
    await create().prepare();
    for (const password of ["another", "canary"]) {
      mkdirSync(join(paths.trials, first, "attempt-1"), { recursive: true });
      await arrive(configuration(7, "2.0.0", password), { local: true });
      expect(await create().performUpdate(forever())).toBe("leave");
      if (password === "canary") expect(readdirSync(join(paths.trials, first))).toEqual(["proven"]);
      await create(join(paths.trials, "attempt-1")).commit();
      expect(state.load().pending_configs).toEqual([]);
    }
    expect(readPointer(paths, "lastGood")).toBe(first);
    expect(handled()).toEqual([
      [7, "accepted"],
      [7, "accepted"],
    ]);
  });
});

describe("what is known when a newer configuration waits", () => {
  it("is told as it is: accepted, where the power failed between the commit and the answer", async () => {
    const { paths, create, arrive, answers } = await setUp();
    await arrive(configuration(8, "3.0.0"));
    await create().performUpdate(forever());
    await arrive(configuration(9, "2.0.0"));
    switchPointer(paths, "lastGood", readPointer(paths, "active") ?? "");
    const next = create();
    await next.prepare();
    expect(await next.performUpdate(forever())).toBe("leave");
    expect(answers()).toMatchObject([{ status: "accepted", config: { general: { config_revision: 8 } } }]);
  });

  it("is told with its own reason, where its trial has failed", async () => {
    const { paths, create, arrive, answers } = await setUp();
    await arrive(configuration(8, "3.0.0"));
    await create().performUpdate(forever());
    await arrive(configuration(9, "2.0.0"));
    rollBack(paths, "the end of its log");
    expect(await create().performUpdate(forever())).toBe("leave");
    expect(answers()).toMatchObject([
      {
        status: "rejected",
        config: { general: { config_revision: 8 } },
        reason: expect.stringMatching(/the end of its log$/),
      },
    ]);
  });

  it("is told once, whatever wakes the main loop while a trial is committed", async () => {
    const { paths, state, create, arrive, answers } = await setUp();
    await arrive(configuration(8, "3.0.0"));
    await create().performUpdate(forever());
    const onTrial = create(join(paths.trials, "attempt-1"));
    await onTrial.prepare();
    let committing: Promise<void> | undefined;
    // The lock of the state is held meanwhile, so the commit is still on its way.
    await state.update(() => {
      committing = onTrial.commit();
    });
    await Promise.all([committing, onTrial.performUpdate(forever())]);
    expect(answers()).toHaveLength(1);
  });
});
