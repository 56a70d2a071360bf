import { readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { MessagingAgent } from "../src/index.ts";
import { number, temporary } from "./support.ts";

it("an agent that is torn down refuses to add and to read, and opens nothing again", async () => {
  const dataDir = join(temporary(), "data");
  const agent = new MessagingAgent({ dataDir });
  await agent.addMessage(number(1));
  const before = agent.addMessage(number(2));
  const ends = [agent.teardown(), agent.teardown()];
  const refused = { code: "IVY_TORN_DOWN" };
  await expect(agent.addMessage(number(3))).rejects.toMatchObject(refused);
  await Promise.all([before, ...ends]);
  rmSync(dataDir, { recursive: true });
  await expect(agent.addMessage(number(3))).rejects.toMatchObject(refused);
  await expect(agent.addMessages([number(3)])).rejects.toThrow(`${dataDir} has been torn down`);
  for (const use of [() => agent.getNLatestMessages(1), () => agent.statistics(), () => agent.keepLimits()])
    expect(use).toThrow(expect.objectContaining(refused));
  await agent.teardown();
  expect(openedBelow(dataDir)).toEqual([]);
});

it("an agent whose folder cannot be created says so with its path when the queue is read", () => {
  const file = join(temporary(), "file");
  writeFileSync(file, "");
  for (const dataDir of [file, join(file, "below")]) {
    const agent = new MessagingAgent({ dataDir });
    const unavailable = expect.objectContaining({ code: "IVY_QUEUE_UNAVAILABLE" });
    expect(() => agent.getNLatestMessages(1)).toThrow(unavailable);
    expect(() => agent.statistics()).toThrow(`${dataDir} cannot be used now`);
  }
});

function openedBelow(folder: string): string[] {
  return readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(folder);
    } catch {
      return false;
    }
  });
}
