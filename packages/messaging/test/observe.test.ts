import { execFileSync } from "node:child_process";
import { watch } from "node:fs";
import { expect, it, vi } from "vitest";
import { createAgent, number, temporary, valuesOf } from "./support.ts";

vi.mock("node:fs", { spy: true });

it("an observer whose signal has aborted already watches nothing", async () => {
  const agent = createAgent(temporary());
  agent.observe(AbortSignal.abort(), () => undefined);
  expect(watch).not.toHaveBeenCalled();
});

it("an observer that aborts is told nothing more, be it read already", async () => {
  const agent = createAgent(temporary());
  const ended = new AbortController();
  const seen: unknown[] = [];
  agent.observe(ended.signal, (item) => {
    seen.push(...valuesOf([item]));
    ended.abort();
  });
  await agent.addMessages([1, 2].map(number));
  await vi.waitFor(() => expect(seen).toEqual([1]), 20_000);
});

it("an observer that throws is told of the messages behind, and its error is not hidden", () => {
  const script = `
    import { MessagingAgent } from "@ivy/messaging";
    process.on("uncaughtException", ({ message }) => console.log(message));
    const agent = new MessagingAgent({ dataDir: process.argv[1] });
    const ended = new AbortController();
    agent.observe(ended.signal, ({ message_body }) => {
      console.log(message_body.data.value);
      if (message_body.data.value === 2) setImmediate(() => ended.abort());
      throw new Error("a mistake");
    });
    await agent.addMessages([1, 2].map((value) => ({ variant: "data", data: { value } })));
  `;
  const args = ["--conditions=@ivy/source", "--input-type=module", "--eval", script, temporary()];
  const said = execFileSync(process.execPath, args, {
    cwd: import.meta.dirname,
    encoding: "utf8",
    timeout: 20_000,
  });
  expect(said.trim().split("\n")).toEqual(["1", "2", "a mistake", "a mistake"]);
});
