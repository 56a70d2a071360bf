import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeArchive } from "@ivy/updater/testing";
import { expect, it, vi } from "vitest";
import { changed } from "./support/config.ts";
import { describeWithBroker } from "./support/field.ts";
import { setUpRoot, stopped } from "./support/root-node.ts";
import { inForce, type OnTestFinished, setUpField } from "./support/trial-field.ts";

// Trials take their time, and several run at once.
vi.setConfig({ testTimeout: 240_000 });

async function setUp(onTestFinished: OnTestFinished, updater: object = {}) {
  const field = await setUpField(onTestFinished);
  const config = changed(field.config, 7, { updater: { ...field.updater, ...updater } });
  // Of the version in force: it says nothing about another one.
  Object.assign(config.general, { software_commit: "1".repeat(40) });
  const node = await setUpRoot(config, onTestFinished);
  const launcher = node.run();
  await field.server.count("measurements", 1);
  const write = (name: string, content: string | Buffer): string => {
    const file = join(node.paths.root, name);
    writeFileSync(file, content);
    return file;
  };
  return { ...field, config, node, launcher, write };
}

/** A key of which nobody has the other half. */
const KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

describeWithBroker("somebody at the node", () => {
  it.concurrent("puts a configuration in force, of the same revision too", async ({ onTestFinished }) => {
    const { config, node, launcher, write, answers } = await setUp(onTestFinished);
    const wanted = changed(config, 7, { system_checks: { seconds_between_checks: 3 } });
    const applied = await node.cli("apply", write("new.json", JSON.stringify(wanted)));
    expect(applied).toMatchObject({ code: 0, stderr: "" });
    expect(applied.stdout).toContain("in force and has proven itself");
    expect(inForce(node)).toEqual(wanted);
    await vi.waitFor(() => expect(answers(7)).toEqual([true]), { timeout: 30_000 });
    // And the one that was in force before.
    const back = await node.cli("apply", write("old.json", JSON.stringify(config)));
    expect(back.stdout).toContain("in force and has proven itself");
    expect(inForce(node)).toEqual(config);
    await stopped(launcher);
  });

  it.concurrent("is told what is wrong with a configuration before anything is touched", async ({
    onTestFinished,
  }) => {
    const { config, node, launcher, write } = await setUp(onTestFinished);
    const wrong = changed(config, 8, { dummy_procedure: { seconds_between_datapoints: 0 } });
    const applied = await node.cli("apply", write("new.json", JSON.stringify(wrong)));
    expect(applied.code).toBe(1);
    expect(applied.stderr).toContain("dummy_procedure.seconds_between_datapoints: must be a whole number");
    expect(node.state.load().pending_configs).toEqual([]);
    await stopped(launcher);
  });

  it.concurrent("is told that nobody has signed an archive where keys are trusted", async ({
    onTestFinished,
  }) => {
    const { node, launcher, write } = await setUp(onTestFinished, { trusted_keys: [KEY] });
    const archive = makeArchive([{ path: "ivy/package.json", content: '{"version":"4.5.6"}' }]);
    const updated = await node.cli("update", write("ivy.tar.gz", archive));
    expect(updated.code).toBe(1);
    expect(updated.stdout).toContain("IVY_RELEASE_UNSIGNED");
    expect(inForce(node).general["software_version"]).toBe("1.2.3");
    await stopped(launcher);
  });

  it.concurrent("is told that an archive holds no release", async ({ onTestFinished }) => {
    const { server, node, launcher, write, answers } = await setUp(onTestFinished);
    const archive = makeArchive([{ path: "ivy/package.json", content: '{"version":"4.5.6"}' }]);
    const updated = await node.cli("update", write("ivy.tar.gz", archive));
    expect(updated.code).toBe(1);
    expect(updated.stdout).toMatch(/Rejected: IVY_BUILD_FAILED in step "build"/);
    // The server knows the revision only, and that has not failed.
    await server.until(
      ({ kind, element }) => kind === "logs" && /7, given at the node/.test(JSON.stringify(element)),
    );
    expect(answers(7)).toEqual([]);
    const nothing = await node.cli("update", write("other.tar.gz", "nothing"));
    expect(nothing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("not a gzip-compressed tar file"),
    });
    await stopped(launcher);
  });

  it.concurrent("leaves a configuration for the next start where the agent is not running", async ({
    onTestFinished,
  }) => {
    const { config, node, launcher, write, answers } = await setUp(onTestFinished);
    await stopped(launcher);
    const applied = await node.cli("apply", write("new.json", JSON.stringify(changed(config, 8))));
    expect(applied).toMatchObject({ code: 3, stdout: expect.stringContaining("when it is started next") });
    const next = node.run();
    await vi.waitFor(() => expect(answers(8)).toEqual([true]), { timeout: 60_000, interval: 100 });
    await stopped(next);
  });
});
