import type { Link } from "@ivy/messaging/forwarder";
import { describe, expect, it } from "vitest";
import { NoAnswerError, Questions } from "../src/thingsboard/questions.ts";

/** A connection that does as it is told. */
function setUp(published: () => Promise<void> = async () => undefined) {
  const ended = new AbortController();
  const link: Link = { publish: published, keepTo: () => undefined, signal: ended.signal };
  const questions = new Questions(link);
  const question = { topic: "t", payload: "{}", key: "k", timeoutMs: 60_000, signal: ended.signal };
  return { questions, question, ended };
}

describe("a question to the server", () => {
  it("is answered also where the answer comes before the acknowledgement", async () => {
    const { questions, question } = setUp(async () => questions.answer("k", Buffer.from("early")));
    expect(String(await questions.ask(question))).toBe("early");
  });

  it("is answered by its own answer only, and once", async () => {
    const { questions, question } = setUp();
    const answer = questions.ask(question);
    questions.answer("other", Buffer.from("wrong"));
    questions.answer("k", Buffer.from("right"));
    questions.answer("k", Buffer.from("late"));
    expect(String(await answer)).toBe("right");
  });

  it("ends without an answer when its time is over, which begins when the server has it", async () => {
    const acknowledged = Promise.withResolvers<void>();
    const { questions, question } = setUp(() => acknowledged.promise);
    const answer = questions.ask({ ...question, timeoutMs: 1 });
    const early = Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 50, "waits"))]);
    expect(await early).toBe("waits");
    acknowledged.resolve();
    await expect(answer).rejects.toThrow(NoAnswerError);
  });

  it("ends with the connection, before and after it is acknowledged", async () => {
    const { questions, question, ended } = setUp();
    const answer = questions.ask(question);
    ended.abort(new Error("the connection is lost"));
    await expect(answer).rejects.toThrow("the connection is lost");
    await expect(questions.ask(question)).rejects.toThrow("the connection is lost");
  });

  it("has a number that no other of the connection has, of 32 bits", () => {
    const { questions } = setUp();
    const ids = Array.from({ length: 1_000 }, () => questions.nextId());
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id > 0 && id < 2 ** 31 && Number.isInteger(id)).toBe(true);
  });
});
