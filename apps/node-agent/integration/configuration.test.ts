import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { expect, it, vi } from "vitest";
import { changed } from "./support/config.ts";
import { ended, processesOf } from "./support/deployed-node.ts";
import { describeWithBroker, setUpField } from "./support/field.ts";

type Field = Awaited<ReturnType<typeof setUpField>>;

/** Resolves once the server has an answer to a revision. */
async function answer(server: Field["server"], revision: number): Promise<boolean> {
  const arrival = await server.until(
    ({ kind, element }) => kind === "acknowledgments" && element.revision === revision,
  );
  return "success" in arrival.element && arrival.element.success;
}

const answers = (server: Field["server"]) =>
  server.arrivals.flatMap(({ element }) =>
    "success" in element ? [[element.revision, element.success]] : [],
  );

describeWithBroker("a configuration from the server", () => {
  it("is in force soon after its arrival, with its file whole and for its owner only", async () => {
    const { server, config, node } = await setUpField();
    const begun = performance.now();
    const main = node.run();
    await server.count("measurements", 1);
    const arrived = performance.now();
    const started = arrived - begun;
    await server.configure(
      "node-7",
      8,
      changed(config, 8, { dummy_procedure: { seconds_between_datapoints: 2 } }),
    );
    expect(await answer(server, 8)).toBe(true);
    // Two seconds where nothing else runs; a machine that is busy was slow with the start too.
    expect(performance.now() - arrived).toBeLessThan(2_000 + 3 * started);
    await server.until(({ kind, element }) => kind === "measurements" && element.revision === 8);
    expect(JSON.parse(readFileSync(node.configFile, "utf8"))).toMatchObject({
      general: { config_revision: 8 },
      dummy_procedure: { seconds_between_datapoints: 2 },
    });
    expect(statSync(node.configFile).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(node.configFile))).toEqual(["config.json"]);
    expect(processesOf(node.root)).toHaveLength(4);
    main.kill("SIGTERM");
    await ended(main);
  });

  it("that is broken is answered with the reasons, and the node goes on as before", async () => {
    const { server, config, node } = await setUpField();
    const main = node.run();
    await server.count("measurements", 1);
    const before = processesOf(node.root);
    const broken = {
      ...changed(config, 8),
      dummy_procedure: { seconds_between_datapoints: "often" },
      typo: {},
    };
    await server.configure("node-7", 8, broken);
    expect(await answer(server, 8)).toBe(false);
    const log = await server.until(
      ({ kind, element }) =>
        kind === "logs" && "message" in element && element.message.includes("revision 8 is rejected"),
    );
    const text = "message" in log.element ? log.element.message : "";
    expect(text).toContain(
      'dummy_procedure.seconds_between_datapoints: must be a whole number from 1 to 7200; came "often"',
    );
    expect(text).toContain("typo: is not a known key");
    expect(processesOf(node.root)).toEqual(before);
    expect(JSON.parse(readFileSync(node.configFile, "utf8"))).toEqual(config);
    main.kill("SIGTERM");
    await ended(main);
  });

  it("is handled once, though the broker sends its retained copy after every start", async () => {
    const { server, config, node } = await setUpField();
    await server.configure("node-7", 8, changed(config, 8));
    for (let start = 0; start < 3; start++) {
      const main = node.run();
      // The backend gets the retained copy again: after the change, and after each start.
      await vi.waitFor(
        () => expect(node.logs().match(/revision 8 is known already/g)).toHaveLength(start + 1),
        20_000,
      );
      main.kill("SIGTERM");
      await ended(main);
    }
    await vi.waitFor(() => expect(answers(server)).toEqual([[8, true]]), 20_000);
    expect(node.logs().match(/Starting the main loop/g)).toHaveLength(4);
  });

  it("is answered after a start that follows a power cut right after it was put in place", async () => {
    const { server, config, node } = await setUpField();
    await server.configure("node-7", 8, changed(config, 8));
    const main = node.run();
    await vi.waitFor(
      () => expect(JSON.parse(readFileSync(node.configFile, "utf8")).general.config_revision).toBe(8),
      {
        timeout: 20_000,
        interval: 1,
      },
    );
    main.kill("SIGKILL");
    await ended(main);
    const next = node.run();
    expect(await answer(server, 8)).toBe(true);
    next.kill("SIGTERM");
    await ended(next);
  });

  it("is taken in safe mode, in which no procedure runs", async () => {
    const { server, config, node } = await setUpField();
    const main = node.run({ ...process.env, IVY_SAFE_MODE: "1" });
    await server.until(({ kind }) => kind === "logs");
    expect(
      processesOf(node.root)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["run", "tenta-backend"]);
    await server.configure("node-7", 8, changed(config, 8));
    expect(await answer(server, 8)).toBe(true);
    main.kill("SIGTERM");
    await ended(main);
  });
});
