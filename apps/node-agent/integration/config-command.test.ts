import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { AgentConfig } from "../src/agent-config.ts";
import { processesOf } from "../src/processes.ts";
import { changed, configFor, PASSWORD, TOKEN } from "./support/config.ts";
import { type AnyConfig, deployNode } from "./support/deployed-node.ts";

const CONFIG_DIR = resolve(import.meta.dirname, "../../../config");

const CONFIG = configFor({ host: "127.0.0.1", port: 9 });

/** A node with a second configuration beside the one in force. */
function withFile(config: AnyConfig) {
  const node = deployNode(CONFIG);
  const file = join(node.root, "new.json");
  writeFileSync(file, JSON.stringify(config));
  return { node, file };
}

describe("config check", () => {
  it("tells that a configuration is sound, the one in force if none is named", async () => {
    const { node, file } = withFile({ ...CONFIG, $schema: "./config.schema.json" });
    expect(await node.cli(["config", "check"])).toMatchObject({
      code: 0,
      stdout: `${node.configFile} is sound\n`,
    });
    expect(await node.cli(["config", "check", file])).toMatchObject({ code: 0 });
  });

  it("takes the configuration of the generation that the launcher has started for the one in force", async () => {
    const { node } = withFile(CONFIG);
    const generation = join(node.root, "data-of-a-generation");
    const { code, stderr } = await node.cli(["config", "check"], {
      ...process.env,
      IVY_GENERATION: generation,
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`${generation}/config.json cannot be used`);
  });

  it("tells everything that is wrong, for a machine too", async () => {
    const { node, file } = withFile({ ...CONFIG, dummy_procedures: {}, system_checks: {} });
    const { code, stderr, stdout } = await node.cli(["config", "check", file]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain('dummy_procedures: is not a known key (did you mean "dummy_procedure"?');
    expect(stderr).toContain("system_checks.seconds_between_checks: must be a whole number");
    const json = JSON.parse((await node.cli(["config", "check", file, "--json"])).stdout);
    expect(json).toMatchObject({ file, sound: false, problems: [{}, {}] });
  });
});

describe("config diff", () => {
  it("tells what changes, whom it concerns and what is restarted, without any secret", async () => {
    const backend = structuredClone(CONFIG["backend"]) as { mqtt_connection: Record<string, unknown> };
    backend.mqtt_connection["password"] = "canary-other";
    const { node, file } = withFile(
      changed(CONFIG, 8, { backend, dummy_procedure: { seconds_between_datapoints: 5 } }),
    );
    const { code, stdout } = await node.cli(["config", "diff", file]);
    expect(code).toBe(0);
    const processes = processesOf(CONFIG as unknown as AgentConfig).map(({ name }) => name);
    expect(stdout).toBe(
      [
        `general.config_revision: 7 -> 8  [main, ${processes.join(", ")}]`,
        'backend.mqtt_connection.password: "[redacted]" -> "[redacted]"  [main, tenta-backend]',
        "dummy_procedure.seconds_between_datapoints: 1 -> 5  [dummy-procedure]",
        "Putting this in force restarts all processes of the agent",
        "",
      ].join("\n"),
    );
    const json = await node.cli(["config", "diff", file, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      restarts: "agent",
      changes: [{ before: 7 }, {}, { after: 5 }],
    });
    for (const secret of ["canary-other", PASSWORD, TOKEN])
      expect(stdout + json.stdout).not.toContain(secret);
  });

  it("tells of another version of the software, and of nothing", async () => {
    const general = { ...CONFIG.general, software_version: "2.1.0" };
    const { node, file } = withFile({ ...CONFIG, general });
    expect((await node.cli(["config", "diff", file])).stdout).toContain("fetches another version");
    expect((await node.cli(["config", "diff", file, file])).stdout).toBe("Nothing is different\n");
  });
});

describe("config explain", () => {
  it("tells what a key means and what is in force, but no secret", async () => {
    const { node } = withFile(CONFIG);
    const { stdout } = await node.cli(["config", "explain", "backend.max_drain_time"]);
    expect(stdout).toMatch(/Allowed: +a whole number from 0 to 7200, in seconds\n +Default: +600\n/);
    expect(stdout).toContain("In force: 5\n");
    const secret = await node.cli(["config", "explain", "updater.access_token", "--json"]);
    expect(JSON.parse(secret.stdout)).toMatchObject({ in_force: "[redacted]", required: false });
  });

  it("names the nearest key where there is no such key", async () => {
    const { node } = withFile(CONFIG);
    const { code, stderr } = await node.cli(["config", "explain", "backend.max_drain"]);
    expect(code).toBe(1);
    expect(stderr).toContain("did you mean backend.max_drain_time?");
  });
});

describe("config schema", () => {
  it("is that of config/config.schema.json, which the template names", async () => {
    const { node } = withFile(CONFIG);
    const schema = JSON.parse((await node.cli(["config", "schema"])).stdout);
    const kept = JSON.parse(readFileSync(join(CONFIG_DIR, "config.schema.json"), "utf8"));
    expect(kept, "it is stale: run `pnpm --filter @ivy/node-agent run schema`").toEqual(schema);
    const template = JSON.parse(readFileSync(join(CONFIG_DIR, "config.template.json"), "utf8"));
    expect(template.$schema).toBe("./config.schema.json");
  });
});
