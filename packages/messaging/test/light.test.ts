import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { temporary } from "./support.ts";

/** Adds messages in a process of its own, and prints which native modules and which files of zod that took. */
const ADD = `
  import { registerHooks } from "node:module";
  const files = [];
  registerHooks({ load: (url, context, next) => (files.push(url), next(url, context)) });
  const { MessagingAgent } = await import("@ivy/messaging");
  const agent = new MessagingAgent({ dataDir: process.argv[1] });
  await agent.addMessage({ variant: "data", data: { a: 1 } });
  await agent.addMessage({ variant: "log", level: "INFO", subject: "a", body: "" });
  await agent.teardown();
  const native = process.report.getReport().sharedObjects.filter((name) => name.endsWith(".node"));
  console.log([...native, ...files.filter((url) => url.includes("/zod/"))].join());
`;

it("adding a message loads no database, and no schema where there is no doubt", () => {
  const args = ["--conditions=@ivy/source", "--input-type=module", "--eval", ADD, temporary()];
  const loaded = execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" });
  expect(loaded.trim()).toBe("");
});
