import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { procedureEntrypoint } from "@ivy/lifecycle";
import { describe, expect, it, vi } from "vitest";
import type { AgentConfig } from "../src/agent-config.ts";
import { hostsOf, processesOf as processesFor, SHARING } from "../src/processes.ts";
import { StatusReport } from "../src/status/schema.ts";
import { changed, configFor, SENSOR } from "./support/config.ts";
import { type DeployedNode, ended, processesOf } from "./support/deployed-node.ts";
import { expectedProcesses } from "./support/expected-processes.ts";
import { describeWithBroker, setUpField } from "./support/field.ts";

const PATIENCE = { timeout: 40_000, interval: 100 };
const supervision = { missed_intervals: 2, shortest_patience: 1, start_patience: 60, share_process: true };

const pidOf = (node: DeployedNode, name: string) =>
  processesOf(node.root).find((process) => process.name === name)?.pid;

const namesOf = (node: DeployedNode) =>
  processesOf(node.root)
    .map(({ name }) => name)
    .sort();

/** What `status` says of the procedures, once this holds. */
function procedures(node: DeployedNode, check: (seen: ReturnType<typeof pick>) => void) {
  return vi.waitFor(async () => {
    const { stdout } = await node.cli(["status", "--json"]);
    const seen = pick(StatusReport.parse(JSON.parse(stdout)));
    check(seen);
    return seen;
  }, PATIENCE);
}

function pick({ processes }: StatusReport) {
  const [dummy, checks] = [processes["dummy-procedure"], processes["system-checks"]];
  if (dummy === undefined || checks === undefined) throw new Error("a procedure is missing");
  return { dummy, checks };
}

/** Makes the measurement of the built dummy procedure wait as long as a file is there, and say so with another one. */
function letItHang(node: DeployedNode) {
  const [file, sign] = [join(node.root, "hang"), join(node.root, "hangs")];
  const script = join(node.root, "apps/node-agent/dist/procedures.js");
  const built = readFileSync(script, "utf8");
  const wait = `
    while (process.getBuiltinModule("fs").existsSync(${JSON.stringify(file)})) {
      process.getBuiltinModule("fs").writeFileSync(${JSON.stringify(sign)}, "");
      await new Promise((next) => setTimeout(next, 50));
    }`;
  const changed = built.replace("[a, b] = [a + step(), b + step()];", `${wait} $&`);
  expect(changed).not.toBe(built);
  writeFileSync(script, changed);
  const hang = () => {
    rmSync(sign, { force: true });
    writeFileSync(file, "");
  };
  const untilItHangs = () => vi.waitFor(() => expect(existsSync(sign)).toBe(true), PATIENCE);
  return { hang, untilItHangs, goOn: () => rmSync(file) };
}

describe("a procedure of one's own", () => {
  it("keeps a process of its own where the common one does not know it", () => {
    const config = { ...configFor({ host: "127.0.0.1", port: 9 }), supervision } as unknown as AgentConfig;
    const entrypoint = procedureEntrypoint(new URL("file:///greenhouse.js"));
    const hosts = hostsOf(config, [...processesFor(config), { name: "greenhouse", entrypoint }]);
    expect(hosts[0]).toMatchObject({ name: "procedures", members: SHARING });
    expect(hosts.at(-1)).toMatchObject({ name: "greenhouse", members: ["greenhouse"], entrypoint });
  });
});

describeWithBroker("procedures that share a process", () => {
  it("work side by side, fall and rise together, the culprit named, and part when the configuration says so", async () => {
    const { server, config, node } = await setUpField();
    const measured = letItHang(node);
    writeFileSync(node.configFile, JSON.stringify({ ...config, supervision }), { mode: 0o600 });
    const main = node.run();
    await server.count("measurements", 2);
    expect(namesOf(node)).toEqual(expectedProcesses({ ...config, supervision }));
    const first = await procedures(node, ({ dummy, checks }) => {
      expect(dummy).toMatchObject({ state: "running", restarts: 0, interval_seconds: 1 });
      expect(checks).toMatchObject({ state: "running", pid: dummy.pid, interval_seconds: 1 });
      for (const { uptime_seconds, last_turn_age_seconds } of [dummy, checks])
        expect(last_turn_age_seconds).toBeLessThan((uptime_seconds ?? 0) - 0.1);
    });
    const state = JSON.parse(readFileSync(join(node.dataDir, "state.json"), "utf8"));
    expect(state.system.last_boot_time).toEqual(expect.any(String));
    expect(node.logs()).toMatch(/system-checks +- DEBUG +- System load/);

    measured.hang();
    await vi.waitFor(() => expect(node.logs()).toContain('"dummy-procedure" makes no progress'), PATIENCE);
    measured.goOn();
    const second = await procedures(node, ({ dummy, checks }) => {
      expect(dummy).toMatchObject({ state: "running", restarts: 1, pid: checks.pid });
      expect(dummy.last_error).toMatch(/^made no progress for/);
      expect(checks.last_error).toMatch(/^"dummy-procedure" in the same process: made no progress/);
    });
    expect(second.dummy.pid).not.toBe(first.dummy.pid);

    process.kill(second.dummy.pid ?? 0, "SIGKILL");
    const before = server.arrivals.length;
    await procedures(node, ({ dummy, checks }) => {
      expect(dummy).toMatchObject({ state: "running", restarts: 2, pid: checks.pid, last_error: "SIGKILL" });
      expect(dummy.pid).not.toBe(second.dummy.pid);
    });
    await vi.waitFor(() => expect(server.arrivals.length).toBeGreaterThan(before + 1), PATIENCE);

    const measuredWith = (revision: number) =>
      server.until(({ kind, element }) => kind === "measurements" && element.revision === revision);
    const apart = { supervision: { ...supervision, share_process: false } };
    measured.hang();
    await measured.untilItHangs();
    const backend = pidOf(node, "tenta-backend");
    await server.configure(SENSOR, 8, changed(config, 8, apart));
    await vi.waitFor(() => {
      expect(pidOf(node, "tenta-backend") ?? backend).not.toBe(backend);
    }, PATIENCE);
    // No procedure ever runs twice: those to come wait for the one that does not end yet, the backend does not.
    expect(namesOf(node)).toEqual(expectedProcesses({ ...config, supervision }));
    measured.goOn();
    await measuredWith(8);
    expect(namesOf(node)).toEqual(expectedProcesses({ ...config, ...apart }));
    await server.configure(SENSOR, 9, changed(config, 9, { supervision }));
    await measuredWith(9);
    expect(namesOf(node)).toEqual(expectedProcesses({ ...config, supervision }));
    main.kill("SIGTERM");
    expect(await ended(main)).toMatchObject({ code: 0 });
    expect(processesOf(node.root)).toEqual([]);
  }, 120_000);
});
