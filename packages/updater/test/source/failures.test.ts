import { expect, it } from "vitest";
import { get } from "../../src/source/http/request.ts";

it("a token that no header can hold is in no error", async () => {
  const asked = get("https://git.example.org/", {
    headers: {},
    credentials: { authorization: "Bearer canary\ncanary" },
    signal: new AbortController().signal,
  });
  const error = await asked.catch((error: unknown) => error);
  expect(error).toMatchObject({
    code: "IVY_HOST_UNREACHABLE",
    message: expect.stringContaining("TypeError"),
  });
  for (let found = error; found instanceof Error; found = found.cause)
    expect(`${found.message}${found.stack}`).not.toContain("canary");
});
