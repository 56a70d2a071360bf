import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { bootTime } from "../../src/change/boot-clock.ts";
import { readJournal, writeJournal } from "../../src/change/journal.ts";
import { readPointer } from "../../src/root/pointers.ts";
import { configuration, forever, rollBack, setUp } from "./node.ts";

describe("the change to another version", () => {
  it("is prepared beside, switched to, and not accepted before its trial", async () => {
    const { paths, create, arrive, handled } = await setUp();
    await arrive(configuration(8, "3.0.0"));
    expect(await create().performUpdate(forever())).toBe("leave");
    expect(readPointer(paths, "active")).toMatch(/^8-[0-9a-f]{12}-3\.0\.0$/);
    expect(readPointer(paths, "lastGood")).toMatch(/^7-/);
    expect(handled()).toEqual([]);
  });

  it("is accepted when it has proven itself, and leaves nothing behind that it was made of", async () => {
    const { paths, create, arrive, handled } = await setUp();
    const archive = join(paths.inbox, "given", "ivy.tar.gz");
    mkdirSync(join(paths.inbox, "given"), { recursive: true });
    writeFileSync(archive, "");
    await arrive(configuration(8, "3.0.0"), { archive });
    expect(await create().performUpdate(forever())).toBe("leave");
    const onTrial = create(join(paths.trials, "attempt-1"));
    expect(await onTrial.performUpdate(forever())).toBe("nothing");
    await onTrial.commit();
    expect(readPointer(paths, "lastGood")).toBe(readPointer(paths, "active"));
    expect(handled()).toEqual([[8, "accepted"]]);
    expect(readdirSync(paths.inbox)).toEqual([]);
    expect(readdirSync(paths.config)).toEqual([]);
  });

  it("is on trial no longer when the processes are started again after it was accepted", async () => {
    const { paths, create, arrive, handled } = await setUp();
    await arrive(configuration(8, "3.0.0"));
    await create().performUpdate(forever());
    // What the launcher has said at the start holds for as long as the agent lives.
    const attempt = join(paths.trials, "attempt-1");
    await create(attempt).commit();
    const next = create(attempt);
    expect(next.isOnTrial).toBe(false);
    await arrive(configuration(9, "2.0.0"));
    expect(await next.performUpdate(forever())).toBe("leave");
    expect(handled()).toEqual([[8, "accepted"]]);
  });

  it("is deleted when its trial has failed, with all that was left of other attempts", async () => {
    const { paths, create, arrive, handled } = await setUp();
    await arrive(configuration(8, "3.0.0"));
    expect(await create().performUpdate(forever())).toBe("leave");
    rollBack(paths);
    mkdirSync(join(paths.stage, "7-superseded"), { recursive: true });
    mkdirSync(join(paths.trash, "cut off"), { recursive: true });
    expect(await create().performUpdate(forever())).toBe("nothing");
    expect(handled()).toEqual([[8, "rejected"]]);
    expect(readdirSync(paths.root).filter((name) => /^\d/.test(name))).toEqual(["2.0.0"]);
    expect(readdirSync(paths.generations)).toEqual([readPointer(paths, "active")]);
    expect([...readdirSync(paths.stage), ...readdirSync(paths.trash)]).toEqual([]);
  });

  it("waits for its turn in the fleet, which a start of the system does not draw anew", async () => {
    const { paths, create, arrive, handled } = await setUp({ spread_seconds: 86_400 });
    await arrive(configuration(8, "3.0.0"));
    expect(await create().performUpdate(forever())).toBe("nothing");
    const first = readJournal(paths.journal);
    expect(first).toHaveLength(1);
    expect(await create().performUpdate(forever())).toBe("nothing");
    expect(readJournal(paths.journal)).toEqual(first);
    expect(readPointer(paths, "active")).toMatch(/^7-/);
    expect(handled()).toEqual([]);
  });

  it.each([
    ["its turn in the fleet", "3.0.0", { spread_seconds: 86_400 }, false],
    ["as long as its host has asked for", "3.0.1", { spread_seconds: 0 }, true],
  ])("waits for %s also when the power was cut meanwhile", async (_, version, settings, hasFailed) => {
    const { paths, create, arrive } = await setUp(settings);
    await arrive(configuration(8, version));
    await create().performUpdate(forever());
    const before = readJournal(paths.journal)[0] ?? expect.fail("nothing is noted");
    expect(before.failures).toBe(hasFailed ? 1 : 0);
    const earlier = { ...before.notBefore, bootId: "an earlier start", ms: 0 };
    writeJournal(paths.journal, { ...before, notBefore: earlier });
    const start = bootTime();
    for (let round = 0; round < 2; round++) expect(await create().performUpdate(forever())).toBe("nothing");
    const { failures, notBefore } = readJournal(paths.journal)[0] ?? expect.fail("it is forgotten");
    expect(failures).toBe(before.failures);
    expect(notBefore.ms - start.ms).toBeGreaterThanOrEqual(before.notBefore.remainingMs);
    expect(notBefore).toMatchObject({ bootId: start.bootId, remainingMs: before.notBefore.remainingMs });
  });

  it("waits for the maintenance window", async () => {
    const now = new Date();
    const clock = (hours: number) =>
      `${String((now.getHours() + hours) % 24).padStart(2, "0")}:${String(now.getMinutes()).padStart(2, "0")}`;
    const closed = await setUp({ spread_seconds: 0, maintenance_window: { from: clock(2), to: clock(4) } });
    await closed.arrive(configuration(8, "3.0.0"));
    for (let looks = 0; looks < 3; looks++)
      expect(await closed.create().performUpdate(forever())).toBe("nothing");
    await vi.waitFor(() => expect(closed.state.load().update?.text).toContain("window"), 20_000);
    const told = closed.messages
      .getNLatestMessages(10)
      .map(({ message_body }) => JSON.stringify(message_body));
    expect(told.filter((text) => text.includes("window"))).toHaveLength(1);
    const open = await setUp({ spread_seconds: 0, maintenance_window: { from: clock(23), to: clock(2) } });
    await open.arrive(configuration(8, "3.0.0"));
    expect(await open.create().performUpdate(forever())).toBe("leave");
  });

  it.each([
    ["3.0.1", 7_200_000],
    ["3.0.4", 30_000],
  ])(
    "that cannot be prepared now (%s) is not rejected, and tried again no sooner than it may",
    async (version, pauseMs) => {
      const { paths, state, create, arrive, handled } = await setUp();
      await arrive(configuration(8, version));
      const before = readJournal(paths.journal)[0]?.notBefore.ms ?? 0;
      expect(await create().performUpdate(forever())).toBe("nothing");
      const { failures, notBefore } = readJournal(paths.journal)[0] ?? {};
      expect(failures).toBe(1);
      expect((notBefore?.ms ?? 0) - before).toBeGreaterThanOrEqual(pauseMs);
      expect(await create().performUpdate(forever())).toBe("nothing");
      expect(readJournal(paths.journal)[0]?.failures).toBe(1);
      await vi.waitFor(() => expect(state.load().update?.step).toBe("wait"), 20_000);
      expect(JSON.stringify([readJournal(paths.journal), state.load()])).not.toContain("canary");
      expect(handled()).toEqual([]);
    },
  );

  it("by somebody at the node waits for no turn and no window, but as long as any other once it could not be prepared", async () => {
    const at = (hours: number) => `${String((new Date().getHours() + hours) % 24).padStart(2, "0")}:00`;
    const settings = { spread_seconds: 86_400, maintenance_window: { from: at(2), to: at(4) } };
    const { paths, create, arrive, handled } = await setUp(settings);
    await arrive(configuration(8, "3.0.1"), { local: true });
    for (let round = 0; round < 3; round++) expect(await create().performUpdate(forever())).toBe("nothing");
    expect(readJournal(paths.journal)).toMatchObject([{ failures: 1, revision: 8 }]);
    expect(handled()).toEqual([]);
    await arrive(configuration(9, "3.0.0"), { local: true });
    expect(await create().performUpdate(forever())).toBe("leave");
  });

  it("by a server that has assigned a package waits for its turn and for the window, as any other from there", async () => {
    const at = (hours: number) => `${String((new Date().getHours() + hours) % 24).padStart(2, "0")}:00`;
    const how = { local: true, assigned: true };
    const spread = await setUp({ spread_seconds: 86_400 });
    await spread.arrive(configuration(7, "3.0.0"), how);
    expect(await spread.create().performUpdate(forever())).toBe("nothing");
    await vi.waitFor(() => expect(spread.state.load().update?.text).toContain("its turn"));
    const closed = await setUp({ spread_seconds: 0, maintenance_window: { from: at(2), to: at(4) } });
    await closed.arrive(configuration(7, "3.0.0"), how);
    expect(await closed.create().performUpdate(forever())).toBe("nothing");
    await vi.waitFor(() => expect(closed.state.load().update?.text).toContain("window"));
    const open = await setUp();
    await open.arrive(configuration(7, "3.0.0"), how);
    expect(await open.create().performUpdate(forever())).toBe("leave");
  });

  it("that will never be ready is rejected with the step and the end of what it printed", async () => {
    const { paths, state, create, arrive } = await setUp();
    await arrive(configuration(8, "3.0.2"));
    expect(await create().performUpdate(forever())).toBe("nothing");
    expect(state.load().handled_configs).toMatchObject([
      { config_revision: 8, outcome: "rejected", reason: 'IVY_TEST_FAILED in step "test": 1 failed\ntail' },
    ]);
    expect(readJournal(paths.journal)).toEqual([]);
    expect(readPointer(paths, "active")).toMatch(/^7-/);
  });

  it("is told in a few KiB, whatever was printed: a server refuses what is larger", async () => {
    const { create, arrive, answers } = await setUp();
    await arrive(configuration(8, "3.0.5"));
    await create().performUpdate(forever());
    const [reason = ""] = answers().map((answer) => answer.reason);
    expect(reason).toMatch(/^IVY_TEST_FAILED in step "test": 1 failed\nx+\n\[\.\.\.\]\nx+\nthe end$/);
    expect(reason.length).toBeLessThan(5_000);
  });

  it("keeps them to itself when it cannot be prepared, and tells who prepares it which they are", async () => {
    const { create, arrive, answers } = await setUp({ spread_seconds: 0, access_token: "third-secret" });
    await arrive(configuration(8, "3.0.7", "second-secret"));
    await create().performUpdate(forever());
    expect(answers().map(({ reason }) => reason)).toEqual([
      'IVY_TEST_FAILED in step "test": true,true,true: [redacted]\nand [redacted]',
    ]);
  });

  it("is not begun while another one is undecided, as one is whose trial could not be recorded", async () => {
    const { paths, create, arrive, handled } = await setUp();
    await arrive(configuration(8, "3.0.0"));
    expect(await create().performUpdate(forever())).toBe("leave");
    const undecided = readPointer(paths, "active");
    await arrive(configuration(9, "2.0.0"));
    expect(await create().performUpdate(forever())).toBe("nothing");
    expect(readPointer(paths, "active")).toBe(undecided);
    expect(readPointer(paths, "lastGood")).toMatch(/^7-/);
    expect(handled()).toEqual([]);
  });

  it("keeps the secrets of both configurations to itself when it tells why a trial has failed", async () => {
    const { paths, state, messages, create, arrive, answers } = await setUp();
    await arrive(configuration(8, "3.0.0", "second-secret"));
    await create().performUpdate(forever());
    rollBack(paths, `cond-secret is cut\n${btoa("second-secret")}\nnode-7:canary@broker`);
    await create().performUpdate(forever());
    expect(answers()[0]?.reason).toMatch(/\[redacted\] is cut\n\[redacted\]\nnode-7:\[redacted\]@broker$/);
    const told = JSON.stringify([messages.getNLatestMessages(100), state.load()]);
    for (const text of ["canary", "-secret", btoa("second-secret")]) expect(told).not.toContain(text);
  });

  it("by somebody at the node that fails is told by the log: the server knows the revision as the one in force", async () => {
    const { paths, logger, create, arrive, handled, answers } = await setUp();
    await arrive(configuration(7, "3.0.2"), { local: true });
    expect(await create().performUpdate(forever())).toBe("nothing");
    expect(handled()).toEqual([[7, "rejected"]]);
    expect(answers()).toEqual([]);
    const [subject, reason] = logger.error.mock.calls[0] ?? [];
    expect(subject).toBe("The configuration of revision 7, given at the node, is rejected");
    expect(reason).toContain("IVY_TEST_FAILED");
    expect(readdirSync(paths.config)).toEqual([]);
  });

  it("gives way to a newer configuration while it is being prepared", async () => {
    const { paths, state, create, arrive, handled } = await setUp();
    const updater = create();
    await arrive(configuration(8, "3.0.3"));
    const performed = updater.performUpdate(forever());
    await vi.waitFor(() => expect(state.load().update?.step).toBe("fetch"), { timeout: 20_000 });
    await arrive(configuration(9, "3.0.0"));
    updater.reconsider();
    expect(await performed).toBe("leave");
    expect(readPointer(paths, "active")).toMatch(/^9-/);
    expect(handled()).toEqual([]);
  });

  it("is given up when the agent ends, and begun anew by the next", async () => {
    const { paths, state, create, arrive, handled } = await setUp();
    await arrive(configuration(8, "3.0.3"));
    const ended = new AbortController();
    const performed = create().performUpdate(ended.signal);
    await vi.waitFor(() => expect(state.load().update?.step).toBe("fetch"), { timeout: 20_000 });
    ended.abort();
    expect(await performed).toBe("nothing");
    expect(readJournal(paths.journal)[0]?.failures).toBe(0);
    expect(handled()).toEqual([]);
  });

  it("is told in its order and before its end, however long it takes to store what is told", async () => {
    const { state, messages, create, arrive } = await setUp();
    await arrive(configuration(8, "3.0.6"));
    const storeNow = messages.addMessage.bind(messages);
    vi.spyOn(messages, "addMessage").mockImplementationOnce(async (body) => {
      await sleep(200);
      return storeNow(body);
    });
    await create().performUpdate(forever());
    await vi.waitFor(() => expect(messages.getNLatestMessages(10)).toHaveLength(3));
    const told = messages
      .getNLatestMessages(10)
      .map(({ message_body: body }) => "subject" in body && body.subject);
    // What is urgent comes first.
    expect(told).toEqual([false, expect.stringMatching(/fetch$/), expect.stringMatching(/install$/)]);
    expect(state.load().update).toBeUndefined();
  });

  it("tells how far it is in the state and to the server, without a secret", async () => {
    const { state, messages, create, arrive } = await setUp();
    await arrive(configuration(8, "3.0.0"));
    await create().performUpdate(forever());
    expect(state.load().update).toMatchObject({ revision: 8, version: "3.0.0", step: "switch" });
    const told = messages.getNLatestMessages(10).map(({ message_body }) => message_body);
    expect(told).toMatchObject([
      { variant: "log", subject: "Change to revision 8, version 3.0.0: fetch" },
      { variant: "log", subject: "Change to revision 8, version 3.0.0: switch" },
    ]);
    expect(JSON.stringify([told, state.load()])).not.toContain("canary");
  });
});
