import { expect, it } from "vitest";
import { usualDurability } from "../src/durability.ts";

it.each([
  [{ variant: "config", status: "accepted" }, "sync"],
  [{ variant: "data", data: {} }, "window"],
  [{ variant: "log", level: "ERROR" }, "fast"],
  ["a body of another schema", "window"],
])("A message of the kind %j is made durable as %s, unless another class is asked for", (body, durability) =>
  expect(usualDurability(body)).toBe(durability),
);
