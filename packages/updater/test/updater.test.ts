import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessagingAgent } from "@ivy/messaging";
import { StateInterface } from "@ivy/state";
import { Config, type ConfigMessageBody, configDigest } from "@ivy/types";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Updater, type UpdaterOptions } from "../src/index.ts";

const IN_FORCE = {
  general: { config_revision: 7, software_version: "2.0.0", system_identifier: "node-7" },
  logging_verbosity: { file_archive: "DEBUG", console_prints: null, message_sending: "WARNING" },
  backend: {
    provider: "tenta",
    mqtt_connection: { host: "h", port: 1883, client_id: "c", username: "u", password: "canary-old" },
  },
  dummy_procedure: { seconds_between_datapoints: 10 },
  system_checks: { seconds_between_checks: 120 },
};

function changed(config_revision: number, change: Record<string, unknown> = {}) {
  const config = structuredClone(IN_FORCE);
  config.general.config_revision = config_revision;
  config.backend.mqtt_connection.password = "canary-new";
  return { ...config, ...change };
}

/** A node's folders with a configuration in force, and the updater on them. */
async function setUp() {
  const root = mkdtempSync(join(tmpdir(), "ivy-updater-"));
  const [dataDir, configDir] = [join(root, "data"), join(root, "config")];
  for (const folder of [dataDir, configDir]) mkdirSync(folder);
  const configFile = join(configDir, "config.json");
  writeFileSync(configFile, JSON.stringify(IN_FORCE), { mode: 0o600 });
  const messages = new MessagingAgent({ dataDir });
  const state = new StateInterface({ dataDir });
  onTestFinished(async () => {
    await messages.teardown();
    rmSync(root, { recursive: true });
  });
  const silent = { debug() {}, info() {}, warning() {}, error() {} };
  const create = (other: Partial<UpdaterOptions<Config>> = {}) =>
    new Updater({
      configFile,
      schema: Config,
      version: "2.0.0",
      state,
      messages,
      logger: silent,
      ...other,
    });

  /** Leaves a configuration as a backend does when one arrives. */
  async function arrive(config: {
    general: { config_revision: number; software_version: string };
  }): Promise<string> {
    const digest = configDigest(config);
    const file = `config.${config.general.config_revision}-${digest.slice(0, 12)}.pending.json`;
    writeFileSync(join(configDir, file), JSON.stringify(config), { mode: 0o600 });
    await state.update((draft) => {
      draft.pending_configs.push({ general: config.general, digest, file });
    });
    return file;
  }

  const answers = (): ConfigMessageBody[] =>
    readdirSync(join(dataDir, "messages"))
      .filter((name) => name.endsWith(".jsonl"))
      .flatMap((name) => messages.loadMessageArchive(name.slice(0, 10)))
      .map(({ message_body }) => message_body as ConfigMessageBody);
  const inForce = () => JSON.parse(readFileSync(configFile, "utf8"));
  return { dataDir, configDir, messages, state, create, arrive, answers, inForce };
}

const perform = (updater: Updater<Config>) => updater.performUpdate(new AbortController().signal);

describe("the updater", () => {
  it("puts a configuration in force, and answers accepted once the processes run with it", async () => {
    const node = await setUp();
    const updater = node.create();
    await updater.prepare();
    const file = await node.arrive(changed(8));
    expect(await perform(updater)).toBe("restart");
    expect(node.inForce()).toEqual(changed(8));
    expect(existsSync(join(node.dataDir, "messages"))).toBe(false);

    const next = node.create();
    await next.prepare();
    expect(await perform(next)).toBe("nothing");
    expect(node.answers()).toMatchObject([
      { status: "accepted", config: { general: { config_revision: 8 } } },
    ]);
    expect((await node.state.load()).pending_configs).toEqual([]);
    expect(existsSync(join(node.configDir, file))).toBe(false);
  });

  it("answers rejected with every reason, and leaves what is in force as it is", async () => {
    const node = await setUp();
    const updater = node.create();
    await node.arrive(changed(8, { dummy_procedure: { seconds_between_datapoints: 0 }, typo: 1 }));
    expect(await perform(updater)).toBe("nothing");
    expect(node.inForce()).toEqual(IN_FORCE);
    const [answer] = node.answers();
    expect(answer?.status).toBe("rejected");
    expect(answer?.reason).toMatch(
      /dummy_procedure\.seconds_between_datapoints: must be a whole number from 1 to 7200/,
    );
    expect(answer?.reason).toMatch(/typo: is not a known key/);
    expect((await node.state.load()).handled_configs).toMatchObject([
      { config_revision: 8, outcome: "rejected" },
    ]);
  });

  it("tells an answer once, whether a death came before it was stored or after", async () => {
    const node = await setUp();
    const rejected = changed(8, { typo: 1 });
    const file = await node.arrive(rejected);
    const untold = { file, since: new Date().toISOString() };
    await perform(node.create());
    const stopBefore = () =>
      node.state.update((draft) => {
        writeFileSync(join(node.configDir, file), JSON.stringify(rejected), { mode: 0o600 });
        const handled = draft.handled_configs.find((one) => one.config_revision === 8);
        if (handled) handled.untold = untold;
      });
    await stopBefore();
    await node.create().prepare();
    expect(node.answers()).toHaveLength(1);
    expect(existsSync(join(node.configDir, file))).toBe(false);

    rmSync(join(node.dataDir, "messages"), { recursive: true });
    await stopBefore();
    const after = new MessagingAgent({ dataDir: node.dataDir });
    await node.create({ messages: after }).prepare();
    await after.teardown();
    expect(node.answers()).toMatchObject([
      { status: "rejected", config: { general: { config_revision: 8 } } },
    ]);
    expect(node.state.load().handled_configs.at(-1)).not.toHaveProperty("untold");
  });

  it("tells both answers to two configurations that differ in nothing but a secret", async () => {
    const node = await setUp();
    const first = changed(8, { typo: 1 });
    const second = structuredClone(first);
    second.backend.mqtt_connection.password = "canary-other";
    await node.arrive(first);
    await perform(node.create());
    await node.arrive(second);
    const full = vi.spyOn(node.messages, "addMessage").mockRejectedValueOnce(new Error("no room"));
    await expect(perform(node.create())).rejects.toThrow("no room");
    full.mockRestore();
    await node.create().prepare();
    await node.create().prepare();
    expect(node.answers().map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  it("takes the newest of several that fits, and rejects the others", async () => {
    const node = await setUp();
    await node.arrive(changed(9));
    await node.arrive(changed(11, { typo: 1 }));
    await node.arrive(changed(10));
    expect(await perform(node.create())).toBe("restart");
    expect(node.inForce().general.config_revision).toBe(10);
    expect(await perform(node.create())).toBe("nothing");
    expect(node.answers().map(({ status, config }) => [config.general.config_revision, status])).toEqual([
      [11, "rejected"],
      [10, "accepted"],
      [9, "rejected"],
    ]);
  });

  it("rejects a configuration whose file was damaged while it waited", async () => {
    const node = await setUp();
    const file = await node.arrive(changed(8));
    writeFileSync(join(node.configDir, file), '{"general": {"conf');
    expect(await perform(node.create())).toBe("nothing");
    expect(node.answers()).toMatchObject([
      { status: "rejected", reason: expect.stringContaining("cannot be read back") },
    ]);
    expect(node.inForce()).toEqual(IN_FORCE);
  });

  it("lets a configuration wait whose file cannot be read now, and goes on with others", async () => {
    const node = await setUp();
    const file = join(node.configDir, await node.arrive(changed(9)));
    // What the file system says then is not that it is damaged.
    rmSync(file);
    mkdirSync(file);
    await node.arrive(changed(8, { typo: 1 }));
    const updater = node.create();
    expect(await perform(updater)).toBe("nothing");
    expect(node.answers().map(({ config }) => config.general.config_revision)).toEqual([8]);
    rmSync(file, { recursive: true });
    writeFileSync(file, JSON.stringify(changed(9)));
    expect(await perform(updater)).toBe("restart");
  });

  it("forgets a configuration whose file is lost, so that it is taken when the server repeats it", async () => {
    const node = await setUp();
    rmSync(join(node.configDir, await node.arrive(changed(8))));
    await node.create().prepare();
    expect(await perform(node.create())).toBe("nothing");
    const { pending_configs, handled_configs } = node.state.load();
    expect(pending_configs).toEqual([]);
    expect(handled_configs).toMatchObject([{ config_revision: 7 }]);
  });

  it("keeps what arrives while it clears up", async () => {
    const node = await setUp();
    const before = node.state.load();
    const file = await node.arrive(changed(8));
    const state = { load: () => before, update: node.state.update.bind(node.state) };
    await node.create({ state }).prepare();
    expect(existsSync(join(node.configDir, file))).toBe(true);
  });

  it("remembers what is in force, so that its retained copy is known", async () => {
    const node = await setUp();
    await node.create().prepare();
    await node.create().prepare();
    expect((await node.state.load()).handled_configs).toEqual([
      { config_revision: 7, digest: configDigest(IN_FORCE), outcome: "accepted" },
    ]);
  });

  it("clears what an arrival left that was cut off, half written or whole, and keeps those that are awaited", async () => {
    const node = await setUp();
    const awaited = await node.arrive(changed(8));
    const cutOff = join(node.configDir, "config.9-0123456789ab.pending.json");
    // No process has a number as high.
    for (const file of [cutOff, `${cutOff}.9999999-a1b2c3.tmp`]) writeFileSync(file, "{}");
    await node.create().prepare();
    expect(readdirSync(node.configDir).sort()).toEqual([awaited, "config.json"].sort());
  });

  it("writes no secret into state or messages", async () => {
    const node = await setUp();
    await node.create().prepare();
    await node.arrive(changed(8, { typo: 1 }));
    await node.arrive(changed(9));
    await perform(node.create());
    await perform(node.create());
    expect(node.answers()).toHaveLength(2);
    for (const entry of readdirSync(node.dataDir, { recursive: true, withFileTypes: true })) {
      if (entry.isFile())
        expect(readFileSync(join(entry.parentPath, entry.name), "latin1")).not.toContain("canary");
    }
  });
});
