import { describe, expect, it } from "vitest";
import { retryAfterSeconds } from "../../src/source/http/retry-after.ts";

const DATE = "Wed, 25 Nov 2026 12:00:00 GMT";

describe("when a host wants to be asked again", () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ["in seconds", { "retry-after": "90" }, 90],
    [
      "at a date, held against the clock of the host",
      { "retry-after": "Wed, 25 Nov 2026 12:01:30 GMT", date: DATE },
      90,
    ],
    ["at once, if the date has passed", { "retry-after": "Wed, 25 Nov 2026 11:00:00 GMT", date: DATE }, 0],
    [
      "at a reset, if nothing is left (GitHub)",
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795608090", date: DATE },
      90,
    ],
    [
      "at a reset, if nothing is left (GitLab)",
      { "ratelimit-remaining": "0", "ratelimit-reset": "1795608090", date: DATE },
      90,
    ],
    [
      "not said, if something is left",
      { "x-ratelimit-remaining": "7", "x-ratelimit-reset": "1795608090", date: DATE },
      undefined,
    ],
    ["not said at all", {}, undefined],
    ["not said in words that can be read", { "retry-after": "soon" }, undefined],
    ["within a day, whatever it says", { "retry-after": "999999999" }, 86_400],
  ])("is %s", (_what, headers, expected) => {
    expect(retryAfterSeconds(new Headers(headers))).toBe(expected);
  });
});
