import { expect, it } from "vitest";
import { strikeOut } from "../src/describe-end.ts";

it("the last error of a process names no secret, however it is written there", () => {
  const secret = 'p"ss\\w0rd';
  const text = `${secret} refused: ${JSON.stringify({ password: secret })}\n at ${encodeURIComponent(secret)}@host`;
  const shown = strikeOut(text, [secret]);
  expect(shown).toBe('[redacted] refused: {"password":"[redacted]"} at [redacted]@host');
});
