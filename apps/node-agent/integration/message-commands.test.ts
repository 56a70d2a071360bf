import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { MessagingAgent } from "@ivy/messaging";
import { describe, expect, it } from "vitest";
import { configFor } from "./support/config.ts";
import { type DeployedNode, deployNode } from "./support/deployed-node.ts";

const CONFIG = { ...configFor({ host: "127.0.0.1", port: 9 }), backend: null };
const NOON = Date.UTC(2026, 2, 1, 12);

/** A node with three data messages, a minute apart, a log message and one dead letter. */
async function nodeWithMessages(): Promise<DeployedNode> {
  const node = deployNode(CONFIG);
  let now = NOON;
  const messages = new MessagingAgent({ dataDir: node.dataDir, revision: 7, now: () => now });
  for (let value = 0; value < 3; value++, now += 60_000)
    await messages.addMessage({ variant: "data", data: { value, place: 'roof, "north"' } });
  await messages.addMessage({ variant: "log", level: "WARNING", subject: "low on space", body: "3 % left" });
  const [first] = messages.getNLatestMessages(1);
  messages.setAside([{ identifier: first?.identifier ?? 0, reason: "too large" }]);
  await messages.teardown();
  return node;
}

const jsonOf = async (node: DeployedNode, ...args: string[]) => {
  const { code, stdout, stderr } = await node.cli([...args, "--json"]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
};

describe("queue", () => {
  it("counts what waits, shows the oldest of it and the dead letters, and takes nothing away", async () => {
    const node = await nodeWithMessages();
    for (let round = 0; round < 2; round++) {
      expect(await jsonOf(node, "queue")).toMatchObject({
        queued: 3,
        oldest: "2026-03-01T12:01:00.000Z",
        dead: 1,
        dropped: 0,
      });
      const peeked = await jsonOf(node, "queue", "peek", "2");
      expect(peeked).toMatchObject([
        { time: "2026-03-01T12:01:00.000Z", revision: 7, message_body: { data: { value: 1 } } },
        { message_body: { data: { value: 2 } } },
      ]);
      expect(await jsonOf(node, "queue", "dead")).toMatchObject([
        { reason: "too large", message_body: { data: { value: 0 } } },
      ]);
    }
    const { stdout } = await node.cli(["queue"]);
    expect(stdout).toMatch(
      /^Waiting: 3 messages, \d+ bytes, the oldest from 2026-03-01T12:01:00.000Z\nDead letters: 1\n/,
    );
    expect((await node.cli(["queue", "dead"])).stdout).toMatch(
      /"value":0.*\n {2}set aside at .*: too large\n$/,
    );
  });

  it("and status tell of a queue of Python Ivy before the first start, and leave it alone", async () => {
    const node = deployNode(CONFIG);
    mkdirSync(node.dataDir);
    const file = join(node.dataDir, "active-message-queue.sqlite3");
    const database = new DatabaseSync(file);
    database.exec(
      "CREATE TABLE QUEUE (internal_id INTEGER PRIMARY KEY, timestamp DOUBLE NOT NULL, message_body TEXT NOT NULL);" +
        `INSERT INTO QUEUE (timestamp, message_body) VALUES (${NOON / 1_000}, '{"variant":"data","data":{"value":1}}')`,
    );
    database.close();
    const before = readFileSync(file);
    expect((await node.cli(["queue"])).stdout).toBe(
      "Waiting: 1 messages, 37 bytes, the oldest from 2026-03-01T12:00:00.000Z\n" +
        "In the queue of Python Ivy: 1 of them; the agent takes them over when it first starts\n" +
        "Dead letters: 0\nDropped unsent, for want of room: 0\n",
    );
    expect((await node.cli(["status"])).stdout).toMatch(/Queue +1 message/);
    expect(readFileSync(file)).toEqual(before);
  });

  it("puts dead letters back, all or those named, and none where one is unknown", async () => {
    const node = await nodeWithMessages();
    const [letter] = await jsonOf(node, "queue", "dead");
    const unknown = await node.cli(["queue", "requeue", String(letter.identifier), "17", "x"]);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("no dead letter 17, x;")]);
    expect(await jsonOf(node, "queue", "requeue", String(letter.identifier))).toEqual({ requeued: 1 });
    expect(await jsonOf(node, "queue", "requeue", "all")).toEqual({ requeued: 0 });
    expect(await jsonOf(node, "queue")).toMatchObject({ queued: 4, dead: 0 });
  });

  it("is empty, and creates nothing, where the agent has not run", async () => {
    const node = deployNode(CONFIG);
    expect(await jsonOf(node, "queue")).toMatchObject({ queued: 0, oldest: null });
    expect((await node.cli(["queue", "peek"])).stderr).toContain("no messages yet");
    expect(existsSync(node.dataDir)).toBe(false);
  });
});

describe("export", () => {
  it("prints the values of a time range as CSV, in UTC, with the revision", async () => {
    const node = await nodeWithMessages();
    const { stdout } = await node.cli(["export", "--from", "2026-03-01T12:01", "--to", "2026-03-01T13:00"]);
    expect(stdout).toBe(
      [
        "time,revision,variant,key,value",
        "2026-03-01T12:01:00.000Z,7,data,value,1",
        '2026-03-01T12:01:00.000Z,7,data,place,"roof, ""north"""',
        "2026-03-01T12:02:00.000Z,7,data,value,2",
        '2026-03-01T12:02:00.000Z,7,data,place,"roof, ""north"""',
        '2026-03-01T12:03:00.000Z,7,log,WARNING,"low on space',
        '3 % left"',
        "",
      ].join("\n"),
    );
  });

  it("prints whole messages as JSON, a line each, in whatever zone the machine is", async () => {
    const node = await nodeWithMessages();
    const args = ["export", "--from", "2026-03-01", "--to", "2026-03-01T12:00:30", "--format", "jsonl"];
    const { stdout } = await node.cli(args, { ...process.env, TZ: "America/St_Johns" });
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        time: "2026-03-01T12:00:00.000Z",
        revision: 7,
        message: { variant: "data", data: { value: 0, place: 'roof, "north"' } },
      },
    ]);
  });

  it("prints any mixture of messages to the byte, whole lines beside a torn one", async () => {
    const node = deployNode(CONFIG);
    const messages = new MessagingAgent({ dataDir: node.dataDir, now: () => NOON + 7 });
    const config = { general: { config_revision: 7 }, list: [1, { deep: "a,b" }] };
    await messages.addMessages([
      { variant: "data", data: { later: -0, "10": 1e21, "2": "" } },
      { variant: "data", data: { "a,key": "two\r\nlines", '"': "° 日本語 🌲" } },
      { variant: "data", data: { torn: 1 } },
      { variant: "data", data: { trap: ',"m":1,"c":"01234567"}' } },
      { variant: "config", status: "rejected", config, reason: 'no "x"' },
    ]);
    await messages.addMessage({ variant: "log", level: "INFO", subject: "alone", body: "" });
    await messages.teardown();
    const [file = ""] = readdirSync(join(node.dataDir, "messages")).filter(
      (name) => !name.includes("urgent"),
    );
    const path = join(node.dataDir, "messages", file);
    writeFileSync(path, readFileSync(path, "utf8").replace('"torn":1', '"torn":2'));

    const exported = async (format: string) =>
      (await node.cli(["export", "--from", "2026-03-01", "--format", format])).stdout;
    const time = "2026-03-01T12:00:00.007Z";
    const rows = [
      "data,2,",
      "data,10,1e+21",
      "data,later,0",
      'data,"a,key","two\r\nlines"',
      'data,"""",° 日本語 🌲',
      'data,trap,",""m"":1,""c"":""01234567""}"',
      "log,INFO,alone",
      'config,rejected,"no ""x"""',
    ];
    expect(await exported("csv")).toBe(
      `time,revision,variant,key,value\n${rows.map((row) => `${time},,${row}\n`).join("")}`,
    );
    const bodies = [
      '{"variant":"data","data":{"2":"","10":1e+21,"later":0}}',
      '{"variant":"data","data":{"a,key":"two\\r\\nlines","\\"":"° 日本語 🌲"}}',
      '{"variant":"data","data":{"trap":",\\"m\\":1,\\"c\\":\\"01234567\\"}"}}',
      '{"variant":"log","level":"INFO","subject":"alone","body":""}',
      `{"variant":"config","status":"rejected","config":${JSON.stringify(config)},"reason":"no \\"x\\""}`,
    ];
    const line = (body: string) => `{"time":"${time}","revision":null,"message":${body}}\n`;
    expect(await exported("jsonl")).toBe(bodies.map(line).join(""));
  });

  it("refuses a range in which nothing can be, and a day that there is not", async () => {
    const node = await nodeWithMessages();
    const refused = async (from: string, to: string) => {
      const { code, stdout, stderr } = await node.cli(["export", "--from", from, "--to", to]);
      expect([code, stdout]).toEqual([1, ""]);
      return stderr;
    };
    expect(await refused("10s", "1h")).toMatch(/^--from must be before --to: came 2\S+Z and 2\S+Z\./);
    expect(await refused("1h", "1h")).toContain("--from must be before --to");
    expect(await refused("2026-03-01", "2026-03-01")).toContain("a whole day ends with the date of the next");
    expect(await refused("2026-02-31", "2026-04-01")).toContain("Write an ISO time like 2026-03-01T12:00");
  });

  it("asks for a time that it understands", async () => {
    const { code, stderr } = await (await nodeWithMessages()).cli(["export", "--from", "yesterday"]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("Write an ISO time like 2026-03-01T12:00")]);
  });
});

describe("run --once", () => {
  it("performs one turn and prints it, touching neither queue nor state", async () => {
    const node = await nodeWithMessages();
    const interval = { seconds_between_datapoints: 7_200 };
    writeFileSync(node.configFile, JSON.stringify({ ...CONFIG, dummy_procedure: interval }));
    const before = contents(node.dataDir);
    const turn = await turnOf(node, "dummy-procedure");
    expect(turn.messages).toMatchObject([
      { message: { data: { random_walk_a_position: expect.any(Number) } } },
    ]);
    expect(turn).toMatchObject({ procedure: "dummy-procedure", state_changes: [], failure: null });
    expect(contents(node.dataDir)).toEqual(before);
    const { stdout } = await node.cli(["run", "dummy-procedure", "--once"]);
    expect(stdout).toMatch(/^2\S+Z {2}\{"variant":"data","data":\{"random_walk_a_position":-?1,.*\}\}\n$/);
  });

  it("prints what a procedure would change in the state, and its log to standard error", async () => {
    const node = deployNode(CONFIG);
    const { code, stdout, stderr } = await node.cli(["run", "system-checks", "--once"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^state system\.last_boot_time: "2.*"\nstate system\.last_5_min_load: \d+\n$/m);
    expect(stderr).toMatch(/system-checks +- DEBUG +- System load/);
    expect(existsSync(node.dataDir)).toBe(false);
  });

  it("names the procedures where there is none of that name", async () => {
    const { code, stderr } = await deployNode(CONFIG).cli(["run", "dummy", "--once"]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining("those of this configuration are dummy-procedure, "),
    ]);
  });

  it("tells that a procedure has failed", async () => {
    const node = deployNode(CONFIG);
    const script = join(node.root, "apps/node-agent/dist/dummy-procedure.js");
    writeFileSync(script, readFileSync(script, "utf8").replace("random_walk_a_position:", "configuration:"));
    const { code, stderr } = await node.cli(["run", "dummy-procedure", "--once"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/dummy-procedure has failed: .*reserved/);
  });
});

async function turnOf(node: DeployedNode, name: string) {
  return JSON.parse((await node.cli(["run", name, "--once", "--json"])).stdout);
}

/** All files of a folder with their bytes. */
function contents(folder: string): [name: string, bytes: string][] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path, readFileSync(path, "latin1")]);
}
