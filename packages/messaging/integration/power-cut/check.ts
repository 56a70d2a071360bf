import { join } from "node:path";
import { MessagingAgent } from "@ivy/messaging";
import type { MessageArchiveItem, MessageQueueItem } from "@ivy/types";
import { afterwards, DAYS } from "./clock.ts";
import { keyOf, messageWith, type Said, understand } from "./statements.ts";

const ALL = 100_000;

/** Added after the cut. */
const LATE = "late:0";

const texts = new Map<string, string>();

interface Contents {
  archive: MessageArchiveItem[];
  queue: MessageQueueItem[];
  dead: MessageQueueItem[];
}

/**
 * Opens what a power cut has left of a store and compares it with what was said before. A second opening must give the
 * same, and a message that is added then, behind it.
 *
 * @returns what is wrong
 */
export async function problemsAfterCut(folder: string, statements: readonly string[]): Promise<string[]> {
  const said = understand(statements);
  const dataDir = join(folder, "data");
  const first = await using(dataDir, read);
  const second = await using(dataDir, async (agent) => {
    await agent.addMessage(messageWith(LATE), { durability: "sync" });
    return read(agent);
  });
  return [
    ...archiveProblems(first, said),
    ...queueProblems(first, said),
    ...differences("archive", [...keysOf(first.archive), LATE], keysOf(second.archive)),
    ...differences("queue", [...keysOf(first.queue), LATE], keysOf(second.queue)),
    ...differences("dead letters", keysOf(first.dead), keysOf(second.dead)),
    ...identifierProblems(second),
  ];
}

async function using<Result>(
  dataDir: string,
  work: (agent: MessagingAgent) => Result | Promise<Result>,
): Promise<Result> {
  const agent = new MessagingAgent({ dataDir, now: afterwards });
  try {
    return await work(agent);
  } finally {
    await agent.teardown();
  }
}

function read(agent: MessagingAgent): Contents {
  const queue = agent.getNLatestMessages(ALL);
  const archive = DAYS.flatMap((day) => agent.loadMessageArchive(day));
  return { queue, archive, dead: agent.deadLetters(ALL) };
}

function archiveProblems({ archive }: Contents, said: Said): string[] {
  const keys = keysOf(archive);
  const there = new Set(keys);
  return [
    ...without(said.stored, there).map((key) => `${key} is stored and not in the archive`),
    ...bodyProblems(archive, said, "archive"),
    ...orderProblems(keys, "archive"),
  ];
}

function queueProblems({ queue, dead }: Contents, said: Said): string[] {
  const keys = keysOf(queue);
  const inQueue = new Set(keys);
  const inDead = new Set(keysOf(dead));
  const lost = without(said.stored, inQueue, inDead, said.leaving);
  return [
    ...lost.map((key) => `${key} is stored, not removed, and not in the queue`),
    ...common(said.gone, inQueue).map((key) => `${key} is removed and in the queue again`),
    ...without(said.buried, inDead).map((key) => `${key} is set aside and not a dead letter`),
    ...without(inDead, said.burying).map((key) => `${key} is a dead letter that nobody set aside`),
    ...common(inQueue, inDead).map((key) => `${key} is in the queue and a dead letter`),
    ...bodyProblems([...queue, ...dead], said, "queue"),
    ...orderProblems(keys, "queue"),
  ];
}

function bodyProblems(items: readonly MessageArchiveItem[], said: Said, where: string): string[] {
  return items.flatMap(({ message_body }) => {
    const key = keyOf(message_body);
    if (!said.adding.has(key)) return [`${key} is in the ${where} and was never added`];
    return JSON.stringify(message_body) === textOf(key) ? [] : [`${key} is altered in the ${where}`];
  });
}

/** Each writer's messages in the order of adding, each once. */
function orderProblems(keys: readonly string[], where: string): string[] {
  const byWriter = Map.groupBy(keys, (key) => key.split(":")[0]);
  return [...byWriter].flatMap(([writer, own]) =>
    isRising(own.map((key) => Number(key.split(":")[1])))
      ? []
      : [`${writer} is out of order in the ${where}`],
  );
}

function identifierProblems({ queue }: Contents): string[] {
  const identifiers = queue.map(({ identifier }) => identifier);
  return isRising(identifiers) ? [] : ["the identifiers of the queue do not rise"];
}

function differences(where: string, expected: readonly string[], found: readonly string[]): string[] {
  const place = Array.from({ length: Math.max(expected.length, found.length) }).findIndex(
    (_, index) => expected[index] !== found[index],
  );
  return place < 0
    ? []
    : [
        `at a second opening, message ${place} of the ${where} is ${found[place]} instead of ${expected[place]}`,
      ];
}

function keysOf(items: readonly MessageArchiveItem[]): string[] {
  return items.map(({ message_body }) => keyOf(message_body));
}

/** Of the message with this key; remembered, for every cut asks for the same ones. */
function textOf(key: string): string {
  const text = texts.get(key) ?? JSON.stringify(messageWith(key));
  texts.set(key, text);
  return text;
}

function without(keys: ReadonlySet<string>, ...others: ReadonlySet<string>[]): string[] {
  return [...keys].filter((key) => !others.some((other) => other.has(key)));
}

function common(keys: ReadonlySet<string>, other: ReadonlySet<string>): string[] {
  return [...keys].filter((key) => other.has(key));
}

function isRising(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? number));
}
