import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MessagingAgent } from "@ivy/messaging";
import { readPointer } from "@ivy/updater";
import { expect, it, vi } from "vitest";
import { changed, SENSOR } from "./support/config.ts";
import { describeWithBroker } from "./support/field.ts";
import { type RootNode, setUpRoot, stopped } from "./support/root-node.ts";
import { setUpField } from "./support/trial-field.ts";

// Two trials, one after the other.
vi.setConfig({ testTimeout: 240_000 });

const PATIENCE = { timeout: 120_000, interval: 100 };

/** Adds 50 messages a second to the store of a node, each with its number, until it is ended; then tells how many. */
async function addSteadily({ paths }: RootNode, signal: AbortSignal): Promise<number> {
  const messages = new MessagingAgent({ dataDir: paths.data });
  let count = 0;
  for (const begun = performance.now(); !signal.aborted; await sleep(20)) {
    // What a busy machine delays is caught up with.
    for (const due = Math.floor((performance.now() - begun) / 20); count < due; count++)
      await messages.addMessage({ variant: "data", data: { flow: count } });
  }
  await messages.teardown();
  return count;
}

/** Whether the launcher has seen the commit. */
function isKnownProven({ paths }: RootNode): boolean {
  return existsSync(join(paths.trials, readPointer(paths, "lastGood") ?? "", "proven"));
}

describeWithBroker("50 messages a second", () => {
  it("flow through a change of version and one of configuration, and none is lost", async ({
    onTestFinished,
  }) => {
    const { server, config, answers, longestGap } = await setUpField(onTestFinished);
    const node = await setUpRoot(config, onTestFinished);
    await node.addVersion("4.5.6");
    const launcher = node.run();
    await server.count("measurements", 1);
    const enough = new AbortController();
    const added = addSteadily(node, enough.signal);

    const next = changed(config, 8);
    next.general["software_version"] = "4.5.6";
    await server.configure(SENSOR, 8, next);
    await vi.waitFor(() => expect(answers(8)).toEqual([true]), PATIENCE);
    // Within a trial the launcher looks each second only whether the agent has ended: that is not to be measured.
    await vi.waitFor(() => expect(isKnownProven(node)).toBe(true), PATIENCE);
    await server.configure(SENSOR, 9, changed(next, 9));
    await vi.waitFor(() => expect(answers(9)).toEqual([true]), PATIENCE);

    enough.abort();
    const count = await added;
    expect(count).toBeGreaterThan(500);
    const arrived = () =>
      new Set(
        server.arrivals.flatMap(({ element }) => ("value" in element ? (element.value["flow"] ?? []) : [])),
      );
    await vi.waitFor(() => expect(arrived().size).toBe(count), PATIENCE);
    // Data points lie on a grid of one second: so long is each gap at least, and the rest is a whole number of missed ones.
    const [version, configuration] = [8, 9].map((revision) => longestGap(node, revision).toFixed(1));
    console.log(`longest gap in sampling: ${version} s (version), ${configuration} s (configuration)`);
    await stopped(launcher);
  });
});
