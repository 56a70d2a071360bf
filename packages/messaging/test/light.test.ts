import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { temporary } from "./support.ts";

/** Adds a message in a process of its own, and prints which native modules that took. */
const ADD = `
  import { MessagingAgent } from "@ivy/messaging";
  const agent = new MessagingAgent({ dataDir: process.argv[1] });
  await agent.addMessage({ variant: "data", data: { a: 1 } });
  await agent.teardown();
  console.log(process.report.getReport().sharedObjects.filter((name) => name.endsWith(".node")).join());
`;

it("adding a message loads no database", () => {
  const args = ["--conditions=@ivy/source", "--input-type=module", "--eval", ADD, temporary()];
  const loaded = execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" });
  expect(loaded.trim()).toBe("");
});
