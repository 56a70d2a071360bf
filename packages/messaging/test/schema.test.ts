import { describe, expect, expectTypeOf, it } from "vitest";
import * as full from "zod";
import * as z from "zod/mini";
import type { ForwardOptions } from "../src/forwarder.ts";
import { MessagingAgent } from "../src/index.ts";
import { temporary } from "./support.ts";

/** What somebody adds who does not heed types. */
const untyped = (agent: MessagingAgent<unknown>) => agent;

const cyclic: Record<string, unknown> = {};
cyclic["itself"] = cyclic;

describe("a body is refused with a typed error, and nothing is stored,", () => {
  it.each<[string, z.ZodMiniType<unknown> | undefined, unknown, RegExp]>([
    ["with a bigint", undefined, { variant: "data", data: { x: 5n } }, /data\.x: must be .*; came 5/],
    [
      "with itself in it",
      undefined,
      { variant: "data", data: { x: cyclic } },
      /data\.x: must be .*; came what JSON/,
    ],
    [
      "with a bigint in a configuration",
      undefined,
      { variant: "config", status: "accepted", config: { general: { config_revision: 1, x: 5n } } },
      /JSON can hold; .*BigInt/,
    ],
    ["with a bigint that its schema takes", z.any(), { x: 5n }, /JSON can hold; .*BigInt/],
    ["with itself in it that its schema takes", z.any(), cyclic, /JSON can hold; .*circular/],
    ["that is undefined", z.any(), undefined, /JSON can hold; came undefined/],
    ["that is a function", z.any(), () => 1, /JSON can hold; came function/],
    ["of which a literal is a bigint", z.object({ x: z.literal(5n) }), { x: 6n }, /must be one of 5; came 6/],
    [
      "that its schema takes time to judge",
      z.any().check(z.refine(async () => true)),
      1,
      /judged by its schema at once.*Promise/,
    ],
    [
      "at which its schema fails",
      z.any().check(
        z.refine(() => {
          throw new Error("no network");
        }),
      ),
      1,
      /without a failure; no network/,
    ],
  ])("%s", async (_, schema, body, problem) => {
    const agent = new MessagingAgent({ dataDir: temporary(), ...(schema === undefined ? {} : { schema }) });
    for (const attempt of [untyped(agent).addMessage(body), untyped(agent).addMessages([body])]) {
      await expect(attempt).rejects.toMatchObject({ code: "IVY_MESSAGE_INVALID" });
      await expect(attempt).rejects.toThrow(problem);
    }
    expect(agent.getNLatestMessages(10)).toEqual([]);
    await agent.teardown();
  });
});

describe("a schema", () => {
  it("of zod or of zod/mini tells what is read", () => {
    const dataDir = temporary();
    const agents = [
      new MessagingAgent({ dataDir, schema: full.object({ celsius: full.number() }) }),
      new MessagingAgent({ dataDir, schema: z.object({ celsius: z.number() }) }),
    ] as const;
    expectTypeOf(agents[0].getNLatestMessages(1)[0]?.message_body.celsius).toEqualTypeOf<
      number | undefined
    >();
    expectTypeOf(agents[1].getNLatestMessages(1)[0]?.message_body.celsius).toEqualTypeOf<
      number | undefined
    >();
  });

  it("with defaults and transforms takes what they take, and stores what they give", async () => {
    const schema = full.object({ unit: full.string().default("C"), at: full.string().transform(Number) });
    const agent = new MessagingAgent({ dataDir: temporary(), schema });
    await agent.addMessage({ at: "5" });
    await agent.addMessages([{ at: "6", unit: "F" }]);
    const bodies = agent.getNLatestMessages(10).map(({ message_body }) => message_body);
    expect(bodies).toEqual([
      { unit: "C", at: 5 },
      { unit: "F", at: 6 },
    ]);
    await agent.teardown();
  });
});

it("an agent whose schema takes something else than it gives can be forwarded", () => {
  const agent = new MessagingAgent({
    dataDir: temporary(),
    schema: full.object({ at: full.string().transform(Number) }),
  });
  expectTypeOf(agent).toExtend<ForwardOptions<{ at: number }>["agent"]>();
});
