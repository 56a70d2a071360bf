import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { MessagingAgent } from "@ivy/messaging";
import { BackendConfig, loadConfig, SupervisionConfig } from "@ivy/types";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentConfig } from "../src/agent-config.ts";
import { RUNS } from "../src/processes/sharing.ts";
import { hostsOf, processesOf, SHARING } from "../src/processes.ts";

const PROJECT_DIR = resolve(import.meta.dirname, "../../..");

/** On a node, the updater says which configuration this version shall run with. */
const ON_NODE = process.env["IVY_CONFIG_FILE"];

const TEMPLATE = join(PROJECT_DIR, "config/config.template.json");

const DIST = join(PROJECT_DIR, "apps/node-agent/dist");

describe("before a node switches to this version", () => {
  it("the configuration that it shall run with fits this version", () => {
    const written = join(PROJECT_DIR, "config/config.json");
    const ofCheckout = existsSync(written) ? written : TEMPLATE;
    const file = ON_NODE ?? ofCheckout;
    expect(loadConfig(file, AgentConfig).general.system_identifier).not.toBe("");
  });

  if (ON_NODE !== undefined) {
    it("the configuration that it shall run with names this version", () => {
      const { version } = JSON.parse(readFileSync(join(PROJECT_DIR, "package.json"), "utf8"));
      expect(loadConfig(ON_NODE, AgentConfig).general.software_version).toBe(version);
    });
  }

  it("messages can be stored, queued and taken out, so the native module fits this machine", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "ivy-version-change-"));
    onTestFinished(() => rmSync(dataDir, { recursive: true }));
    const messages = new MessagingAgent({ dataDir });
    await messages.addMessage({ variant: "data", data: { probe: 1 } }, { durability: "sync" });
    const [probe] = messages.getNLatestMessages(1);
    expect(probe?.message_body).toEqual({ variant: "data", data: { probe: 1 } });
    messages.removeMessages(probe === undefined ? [] : [probe.identifier]);
    expect(messages.getNLatestMessages(1)).toEqual([]);
    await messages.teardown();
  });

  it("the command line interface answers under the runtime of this version", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(DIST, "cli.js"), "info"]);
    expect(stdout).toContain("CLI version");
  });

  it.each(["run", ...modules()])("the file of the process %s is built", (name) => {
    expect(existsSync(join(DIST, `${name}.js`))).toBe(true);
  });

  it("the process that procedures share can run each that it is asked to", () => {
    expect(Object.keys(RUNS).sort()).toEqual([...SHARING].sort());
  });
});

/** The files of all that a configuration may ask for, with each provider, in processes of their own or a common one. */
function modules(): Set<string> {
  const config = loadConfig(TEMPLATE, AgentConfig);
  const configs = BackendConfig.shape.provider.options.map((provider) => ({
    ...config,
    backend: { ...(config.backend as BackendConfig), provider },
  }));
  const all = configs.flatMap((one) => {
    const processes = processesOf(one);
    const supervision = { ...SupervisionConfig.parse({}), share_process: true };
    return [...processes, ...hostsOf({ ...one, supervision }, processes)];
  });
  return new Set(all.map(({ entrypoint }) => basename(entrypoint.module.pathname, ".js")));
}
