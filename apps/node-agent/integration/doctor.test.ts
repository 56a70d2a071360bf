import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { hasMosquitto, type Mosquitto, startMosquitto } from "@ivy/backends/testing";
import { MessagingAgent } from "@ivy/messaging";
import { createTestAuthority } from "@ivy/messaging/testing";
import { parseConfig } from "@ivy/types";
import { createRepository } from "@ivy/updater/testing";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { AgentConfig } from "../src/agent-config.ts";
import type { Patient } from "../src/doctor/check.ts";
import { CHECKS, examine } from "../src/doctor/examine.ts";
import { loginOnce } from "../src/doctor/login.ts";
import { realSystem, type System } from "../src/doctor/system.ts";
import type { StatusReport } from "../src/status/schema.ts";
import { configFor, PASSWORD, SENSOR } from "./support/config.ts";
import { describeWithBroker, setUpField } from "./support/field.ts";

const PROJECT_DIR = resolve(import.meta.dirname, "../../..");

const WELL: StatusReport = {
  schema: 1,
  state: "well",
  problems: [],
  time: "2026-11-25T00:00:00.000Z",
  version: "2.0.0",
  revision: 7,
  main: { pid: 1, uptime_seconds: 4_711, memory_bytes: 1, answers: true, safe_mode: false },
  processes: {},
  newest_message_age_seconds: 3,
  queue: { messages: 2, bytes: 200, oldest_age_seconds: 1, dead: 0, dropped: 0 },
  link: { connected: false, since_seconds: 5, last_acknowledged_age_seconds: null },
  disk: { free_bytes: 1e10, total_bytes: 1e11, free_inodes: 1e6 },
  clock: { synchronised: true },
  update: null,
};

/** The machine that the tests run on may itself be short of anything. */
const SYSTEM: System = {
  ...realSystem,
  statfs: () => ({ bavail: 1e7, blocks: 1e8, bsize: 4_096, files: 1e7, ffree: 1e6 }),
  readText: (path) =>
    path === "/proc/meminfo"
      ? "MemTotal: 500000 kB\nMemAvailable:   300000 kB\n"
      : "1 2 8:1 / / rw,noatime - ext4\n",
  clockIsSynchronised: () => true,
  startersOfPrograms: async () => [`* * * * * ${PROJECT_DIR}/apps/node-agent/dist/cli.js start`],
  request: async () => 200,
};

type Change = (config: AgentConfig) => void;

let broker: Mosquitto;
beforeAll(async () => {
  if (hasMosquitto) broker = await startMosquitto({ user: { username: SENSOR, password: PASSWORD } });
});
afterAll(() => broker?.[Symbol.asyncDispose]());

/** A sound node, with a broker that really is there; everything else is put there by hand. */
const soundPatient = () => patientOf(broker);

async function patientOf(broker: { host: string; port: number }): Promise<Patient> {
  const root = mkdtempSync(join(tmpdir(), "ivy-doctor-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [configDir, dataDir] = [join(root, "config"), join(root, "data")];
  mkdirSync(configDir);
  const config = parseConfig(configFor(broker), "the test", AgentConfig);
  const configFile = join(configDir, "config.json");
  writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
  writeFileSync(join(configDir, ".env"), "", { mode: 0o600 });
  const messages = new MessagingAgent({ dataDir });
  await messages.addMessage({ variant: "data", data: { value: 1 } });
  messages.getNLatestMessages(1);
  await messages.teardown();
  mkdirSync(join(dataDir, "logs"));
  writeFileSync(join(dataDir, "state.json"), "{}");
  return {
    ...{ projectDir: PROJECT_DIR, root, configDir, configFile, dataDir, config },
    version: "2.0.0",
    status: WELL,
    system: SYSTEM,
    tryLogin: loginOnce(),
  };
}

/** A server that answers once, and is silent then. */
async function silentServer(greeting: Buffer): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.write(greeting));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

const withSystem = (patient: Patient, system: Partial<System>): Patient => ({
  ...patient,
  system: { ...patient.system, ...system },
});
const withStatus = (patient: Patient, status: Partial<StatusReport>): Patient => ({
  ...patient,
  status: { ...patient.status, ...status },
});
const withConfig = (patient: Patient, change: Change): Patient => {
  const config = structuredClone(patient.config) as AgentConfig;
  change(config);
  return { ...patient, config };
};
const withRemote = (patient: Patient, remote: string): Patient =>
  withConfig(patient, ({ updater }) => Object.assign(updater ?? {}, { provider: "git", remote }));
const withConnection = (patient: Patient, change: Record<string, unknown>): Patient =>
  withConfig(patient, ({ backend }) => Object.assign(backend?.mqtt_connection ?? {}, change));

/** A fault in the files of the node. */
const inFiles =
  (spoil: (patient: Patient) => void): Fault =>
  (patient) => {
    spoil(patient);
    return patient;
  };

const named = (...names: string[]) => CHECKS.filter(({ name }) => names.includes(name));

type Fault = (patient: Patient) => Patient | Promise<Patient>;

/** A fault for each check; where there are several, the check has to find each. */
const FAULTS: [check: string, what: string, fault: Fault][] = [
  ["configuration", "is broken", inFiles((p) => writeFileSync(p.configFile, "{"))],
  ["configuration-rights", "readable by everybody", inFiles((p) => chmodSync(p.configFile, 0o644))],
  [
    "secret-files",
    "an .env readable by everybody",
    inFiles((p) => chmodSync(join(p.configDir, ".env"), 0o640)),
  ],
  ["software-version", "another is installed", (p) => ({ ...p, version: "2.1.0" })],
  [
    "signature-keys",
    "is none",
    (p) => withConfig(p, ({ updater }) => Object.assign(updater ?? {}, { trusted_keys: ["RWQabc"] })),
  ],
  ["runtime", "is too old", (p) => withSystem(p, { nodeVersion: "18.20.0" })],
  [
    "native-modules",
    "for another Node.js",
    (p) =>
      withSystem(p, {
        trySqlite: () => {
          throw new Error("NODE_MODULE_VERSION 115");
        },
      }),
  ],
  ["agent", "does not run", (p) => withStatus(p, { main: null })],
  ["main-process", "hangs", (p) => withStatus(p, { main: WELL.main && { ...WELL.main, answers: false } })],
  [
    "main-process",
    "in safe mode",
    (p) => withStatus(p, { main: WELL.main && { ...WELL.main, safe_mode: true } }),
  ],
  [
    "processes",
    "one dies again and again",
    (p) => withStatus(p, { processes: { roof: {} as never }, problems: ["roof dies again and again"] }),
  ],
  [
    "start-at-boot",
    "nothing starts it",
    (p) => withSystem(p, { startersOfPrograms: async () => ["@reboot other"] }),
  ],
  ["disk-space", "full", (p) => withSystem(p, { statfs: () => ({ ...SYSTEM.statfs("/"), bavail: 5_000 }) })],
  ["inodes", "used up", (p) => withSystem(p, { statfs: () => ({ ...SYSTEM.statfs("/"), ffree: 12 }) })],
  [
    "read-only-disk",
    "a card that is worn out",
    (p) => withSystem(p, { readText: () => "1 2 8:1 / / ro,noatime - ext4\n" }),
  ],
  ["memory", "used up", (p) => withSystem(p, { readText: () => "MemAvailable:   20000 kB\n" })],
  ["clock", "in 1970", (p) => withSystem(p, { now: () => 86_400_000 })],
  ["time-server", "none answers", (p) => withSystem(p, { clockIsSynchronised: () => false })],
  ["data-folder", "is none", (p) => ({ ...p, dataDir: p.configFile })],
  [
    "log-folder",
    "is none",
    inFiles((p) => {
      rmSync(join(p.dataDir, "logs"), { recursive: true });
      writeFileSync(join(p.dataDir, "logs"), "");
    }),
  ],
  ["state", "is torn", inFiles((p) => writeFileSync(join(p.dataDir, "state.json"), '{"system":'))],
  [
    "queue",
    "is damaged",
    inFiles((p) => writeFileSync(join(p.dataDir, "active-message-queue.sqlite3"), "x".repeat(4_096))),
  ],
  [
    "dead-letters",
    "there are some",
    (p) => withStatus(p, { queue: WELL.queue && { ...WELL.queue, dead: 3 } }),
  ],
  [
    "backlog",
    "of a day",
    (p) => withStatus(p, { queue: WELL.queue && { ...WELL.queue, oldest_age_seconds: 86_400 } }),
  ],
  ["last-data-point", "is old", (p) => withStatus(p, { newest_message_age_seconds: 7_200 })],
  ["last-data-point", "there is none", (p) => withStatus(p, { newest_message_age_seconds: null })],
  ["broker-name", "is misspelt", (p) => withConnection(p, { host: "no-such-host.invalid" })],
  ["broker-port", "nobody listens", (p) => withConnection(p, { port: 9 })],
  ["broker-tls", "the port speaks none", (p) => withConnection(p, { tls: {} })],
  ["certificates", "a file is missing", (p) => withConnection(p, { tls: { ca_file: "nowhere.pem" } })],
  [
    "certificates",
    "no PEM",
    (p) => {
      writeFileSync(join(p.configDir, "ca.pem"), "no");
      return withConnection(p, { tls: { ca_file: "ca.pem" } });
    },
  ],
  ["broker-login", "a wrong password", (p) => withConnection(p, { password: "wrong" })],
  [
    "server-answer",
    "takes us and falls silent",
    async (p) => withConnection(p, { port: await silentServer(Buffer.from([0x20, 2, 0, 0])) }),
  ],
  ["repository", "is not there, or private", (p) => withSystem(p, { request: async () => 404 })],
  [
    "repository",
    "cannot be reached",
    (p) =>
      withSystem(p, {
        request: () =>
          Promise.reject(new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND") })),
      }),
  ],
  ["repository", "git does not find it", (p) => withRemote(p, join(p.root, "nowhere.git"))],
];

describeWithBroker("the doctor", () => {
  it("has at least 20 checks, each with a name of its own", () => {
    expect(CHECKS.length).toBeGreaterThanOrEqual(20);
    expect(new Set(CHECKS.map(({ name }) => name)).size).toBe(CHECKS.length);
  });

  it("has a fault here for every check", () => {
    const proven = new Set(FAULTS.map(([check]) => check));
    expect(CHECKS.filter(({ name }) => !proven.has(name))).toEqual([]);
  });

  it("finds nothing wrong with a sound node", async () => {
    const findings = await examine(await soundPatient());
    expect(findings.filter(({ result }) => result === "warning" || result === "failure")).toEqual([]);
    const skipped = findings.filter(({ result }) => result === "skipped").map(({ name }) => name);
    expect(skipped).toEqual(["broker-tls", "certificates"]);
  });

  it.each(FAULTS)("finds: %s, %s; and says how to mend it", async (check, _what, fault) => {
    const [finding] = await examine(await fault(await soundPatient()), { checks: named(check) });
    expect(finding).toMatchObject({
      result: expect.stringMatching(/warning|failure/),
      mend: expect.any(String),
    });
    expect(finding?.text).not.toContain("took longer");
    for (const text of [finding?.text, finding?.mend]) expect(text).not.toContain("\n");
    expect(JSON.stringify(finding)).not.toMatch(/canary-/);
  });

  it("speaks TLS with the broker, and finds an authority that is not trusted and a certificate that ends", async () => {
    using authority = createTestAuthority();
    const broker = await startMosquitto({ tls: authority.issue("broker") });
    onTestFinished(() => broker[Symbol.asyncDispose]());
    const trusting = { host: "localhost", tls: { ca_file: authority.caFile } };
    const patient = withConnection(await patientOf(broker), trusting);
    const found = async (ill: Patient, check = "broker-tls") =>
      (await examine(ill, { checks: named(check) }))[0];
    expect(await found(patient)).toMatchObject({
      result: "warning",
      text: expect.stringMatching(/the broker's certificate ends on 2/),
    });
    expect(await found(withConnection(patient, { tls: {} }))).toMatchObject({ result: "failure" });
    const { certFile, keyFile } = authority.issue("node", { expired: true });
    const tls = { ...trusting.tls, cert_file: certFile, key_file: keyFile };
    expect(await found(withConnection(patient, { tls }), "certificates")).toMatchObject({
      result: "failure",
      text: expect.stringMatching(/our certificate has ended on 2/),
    });
  });

  it("asks a git remote over ssh, which asks nobody anything, and tells why it is refused", async () => {
    using repository = createRepository();
    const patient = withRemote(await soundPatient(), `git@example.com:${repository.path}`);
    const found = async (ssh: string) => {
      const bin = join(patient.root, "bin");
      mkdirSync(bin, { recursive: true });
      writeFileSync(join(bin, "ssh"), `#!/bin/sh\necho "$@" > "$0.log"\n${ssh}\n`, { mode: 0o755 });
      vi.stubEnv("PATH", `${bin}:${process.env["PATH"]}`);
      onTestFinished(() => void vi.unstubAllEnvs());
      const [finding] = await examine(patient, { checks: named("repository") });
      return { ...finding, asked: readFileSync(join(bin, "ssh.log"), "utf8") };
    };
    expect(await found('for last; do :; done; exec sh -c "$last"')).toMatchObject({
      result: "ok",
      asked: expect.stringContaining("BatchMode=yes"),
    });
    expect(await found("echo 'Host key verification failed.' >&2; exit 255")).toMatchObject({
      result: "failure",
      text: expect.stringContaining("known_hosts"),
    });
  });

  it("ends in time where a check hangs", async () => {
    const patient = withSystem(await soundPatient(), { resolve: () => new Promise(() => undefined) });
    const findings = await examine(patient, { checks: named("broker-name", "clock"), timeoutMs: 500 });
    expect(findings.find(({ name }) => name === "broker-name")).toMatchObject({
      result: "failure",
      text: "it took longer than 0.5 s",
    });
  });

  it("gives no false alarm about a deployed node that runs, and a true one when its broker is gone", async () => {
    const { node, server, broker, config } = await setUpField();
    writeFileSync(node.configFile, JSON.stringify({ ...config, updater: null }), { mode: 0o600 });
    await node.cli(["start"]);
    await server.count("measurements", 1);
    const well = await node.cli(["doctor", "--json"]);
    const { state, checks } = JSON.parse(well.stdout);
    expect(checks.filter(({ result }: { result: string }) => /warning|failure/.test(result))).toEqual([]);
    expect([well.code, state]).toEqual([0, "well"]);
    await broker.stop();
    const ill = await node.cli(["doctor"]);
    expect(ill.code).toBe(4);
    expect(ill.stdout).toMatch(
      /^failure +broker-port +127.0.0.1:\d+ cannot be reached: .*\n +mend: start the broker/m,
    );
    await node.cli(["stop"]);
  });
});
