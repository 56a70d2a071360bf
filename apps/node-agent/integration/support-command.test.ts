import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Logger } from "@ivy/logger";
import { MessagingAgent } from "@ivy/messaging";
import fc from "fast-check";
import { extract } from "tar";
import { describe, expect, it } from "vitest";
import type { Patient } from "../src/doctor/check.ts";
import { realSystem } from "../src/doctor/system.ts";
import { collectParts } from "../src/support/collect.ts";
import { configFor, PASSWORD, TOKEN } from "./support/config.ts";
import { deployNode } from "./support/deployed-node.ts";

const CONFIG = configFor({ host: "127.0.0.1", port: 9 });

/** Where a node has a secret, each in a text as it stands in a file there. */
const PLACES: Record<string, (secret: string) => { file: string; text: string }> = {
  password: (secret) => ({
    file: "config/config.json",
    text: JSON.stringify(withConnection({ password: secret })),
  }),
  "access token of ThingsBoard": (secret) => {
    const config = withConnection({ username: secret, password: undefined }, { provider: "thingsboard" });
    return { file: "config/config.json", text: JSON.stringify(config) };
  },
  "access token of the code host": (secret) => {
    const updater = { ...(CONFIG["updater"] as object), access_token: secret };
    return { file: "config/config.json", text: JSON.stringify({ ...CONFIG, updater }) };
  },
  "configuration that is broken": (secret) => {
    const text = JSON.stringify(withConnection({ password: secret }), undefined, 2);
    return { file: "config/config.json", text: text.slice(0, -3) };
  },
  "configuration that waits": (secret) => {
    return { file: "config/8.pending.json", text: JSON.stringify(withConnection({ password: secret })) };
  },
  "configuration for another version": (secret) => {
    return {
      file: "config/9.pending.json",
      text: JSON.stringify({ general: {}, cloud: { api_key: secret } }),
    };
  },
  "configuration of a generation": (secret) => {
    return { file: ".ivy/gen/7-abc/config.json", text: JSON.stringify(withConnection({ password: secret })) };
  },
};

/** Those that have no room for every character. */
const PLAIN_PLACES: typeof PLACES = {
  "environment file": (secret) => ({ file: "config/.env", text: `IVY_DATA_DIR=/x\nCLOUD='${secret}'\n` }),
  "private key": (secret) => ({
    file: "config/client.key",
    text: `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`,
  }),
};

function withConnection(connection: object, backend: object = {}) {
  const before = CONFIG["backend"] as { mqtt_connection: object };
  return {
    ...CONFIG,
    backend: { ...before, ...backend, mqtt_connection: { ...before.mqtt_connection, ...connection } },
  };
}

/** Long enough to be struck out, and not a part of what stands in its place. */
const isSecret = (text: string) => text.trim().length >= 6 && !/^[\w]*redacted/.test(text);
const anyText = fc.string({ unit: "grapheme", minLength: 6, maxLength: 40 }).filter(isSecret);
const plainText = fc.string({ unit: fc.constantFrom(..."abcXYZ0189+/-_"), minLength: 20, maxLength: 40 });

const planted = fc.oneof(
  fc.record({ place: fc.constantFrom(...Object.entries(PLACES)), secret: anyText }),
  fc.record({ place: fc.constantFrom(...Object.entries(PLAIN_PLACES)), secret: plainText }),
);

/** A node with a secret in one place, from where it has got into everything that a support archive tells. */
async function spoiltNode(root: string, file: string, text: string, secret: string): Promise<Patient> {
  const [configDir, dataDir] = [join(root, "config"), join(root, "data")];
  const configFile = join(configDir, "config.json");
  mkdirSync(configDir);
  writeFileSync(configFile, JSON.stringify(CONFIG));
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);

  const messages = new MessagingAgent({ dataDir });
  await messages.addMessage({ variant: "data", data: { note: secret } });
  const [message] = messages.getNLatestMessages(1);
  messages.setAside([{ identifier: message?.identifier ?? 0, reason: `refused: ${secret}` }]);
  await messages.teardown();
  using logger = new Logger({
    origin: "main",
    verbosity: { file_archive: "DEBUG", console_prints: null, message_sending: null },
    logsDir: join(dataDir, "logs"),
  });
  logger.error(`login with ${secret} failed`, JSON.stringify({ sent: JSON.stringify({ password: secret }) }));
  logger.exception(new Error(`https://host/?token=${encodeURIComponent(secret)}`));
  writeFileSync(
    join(dataDir, "main.stderr"),
    `Error: ${secret}\n${Buffer.from(secret).toString("base64")}\n`,
  );
  writeFileSync(
    join(dataDir, "state.json"),
    JSON.stringify({ cloud: { last_error: secret, token: secret } }),
  );
  return {
    ...{ projectDir: root, root, configDir, configFile, dataDir, config: undefined, version: "2.0.0" },
    status: { problems: [`main: ${secret}`] } as never,
    system: realSystem,
    tryLogin: () => Promise.reject(new Error("not in this test")),
  };
}

describe("a support archive", () => {
  it("never has a secret in it, wherever that was planted and whatever it is", async () => {
    const property = fc.asyncProperty(planted, async ({ place: [, plant], secret }) => {
      const root = mkdtempSync(join(tmpdir(), "ivy-support-test-"));
      try {
        const { file, text } = plant(secret);
        const patient = await spoiltNode(root, file, text, secret);
        const finding = { name: "broker-login", result: "failure" as const, text: secret, mend: secret };
        const parts = Object.values(await collectParts(patient, [finding])).join("\n");
        expect(parts).toContain("[redacted]");
        expect(parts).not.toContain(secret);
        expect(parts).not.toContain(JSON.stringify(secret).slice(1, -1));
        expect(parts).not.toContain(Buffer.from(secret).toString("base64"));
      } finally {
        rmSync(root, { recursive: true });
      }
    });
    await fc.assert(property, { numRuns: 60 });
  }, 120_000);

  it("is one file for its owner, with everything that somebody who helps wants to see", async () => {
    const node = deployNode({ ...CONFIG, updater: null });
    mkdirSync(join(node.dataDir, "logs"), { recursive: true });
    const entry = `2026-03-01 12:00:00.000 UTC+0 - main             - ERROR     - login with ${PASSWORD} failed\n`;
    writeFileSync(join(node.dataDir, "logs/2026-03-01.log"), entry);
    const output = join(node.root, "support.tar.gz");
    const { code, stdout } = await node.cli(["support", "--output", output]);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`${output} has `)]);
    expect(statSync(output).mode & 0o777).toBe(0o600);

    await extract({ file: output, cwd: node.root, strip: 1 });
    const text = (name: string) => readFileSync(join(node.root, name), "utf8");
    expect(text("last.log")).toBe(entry.replace(PASSWORD, "[redacted]"));
    expect(JSON.parse(text("status.json"))).toMatchObject({ schema: 1, state: "stopped" });
    expect(JSON.parse(text("doctor.json")).length).toBeGreaterThanOrEqual(20);
    expect(JSON.parse(text("config.json"))).toMatchObject({
      general: CONFIG.general,
      backend: { mqtt_connection: { password: "[redacted]" } },
    });
    expect(JSON.parse(text("about.json"))).toMatchObject({
      version: "2.0.0",
      machine: { architecture: process.arch },
    });
    const all = readdirSync(node.root, { withFileTypes: true }).filter((file) => file.isFile());
    for (const { name } of all)
      for (const secret of [PASSWORD, TOKEN]) expect(text(name)).not.toContain(secret);
  });

  it("tells of a node on which there is nothing yet, or nothing sound", async () => {
    const node = deployNode(CONFIG);
    writeFileSync(node.configFile, `{ "password": "${PASSWORD}" x`);
    const output = join(node.root, "support.tar.gz");
    expect(await node.cli(["support", "--output", output, "--json"])).toMatchObject({ code: 0, stderr: "" });
    await extract({ file: output, cwd: node.root, strip: 1 });
    expect(readFileSync(join(node.root, "config-check.txt"), "utf8")).toContain("is not JSON");
    expect(readFileSync(join(node.root, "config.json"), "utf8")).toBe(
      "This could not be collected: it is not JSON\n",
    );
  });
});
