import { describe, expect, it } from "vitest";
import { MessageBody } from "../src/index.ts";

describe("a message body", () => {
  it.each([
    { variant: "data", data: { temperature: 21.4, site: "roof" } },
    { variant: "log", level: "INFO", subject: "s", body: "" },
    { variant: "config", status: "rejected", reason: "r", config: { general: { config_revision: 3 }, x: 1 } },
  ])("of each variant is taken: %j", (body) => {
    expect(MessageBody.parse(body)).toEqual(body);
  });

  it.each([
    ["no values", { variant: "data", data: {} }],
    ["NaN, which JSON cannot carry", { variant: "data", data: { a: Number.NaN } }],
    ["infinity", { variant: "data", data: { a: Number.POSITIVE_INFINITY } }],
    ["a boolean", { variant: "data", data: { a: true } }],
    ["the reserved key logging", { variant: "data", data: { logging: 1 } }],
    ["the reserved key configuration", { variant: "data", data: { configuration: 1 } }],
    ["an unknown level", { variant: "log", level: "FATAL", subject: "s", body: "" }],
    ["an unknown key", { variant: "log", level: "INFO", subject: "s", body: "", extra: 1 }],
    ["an unknown variant", { variant: "image" }],
  ])("with %s is refused", (_, body) => {
    expect(MessageBody.safeParse(body).success).toBe(false);
  });
});
