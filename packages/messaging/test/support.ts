import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MessageBody, MessageQueueItem } from "@ivy/types";
import Sqlite from "better-sqlite3";
import { onTestFinished } from "vitest";
import { MessagingAgent, type MessagingAgentOptions } from "../src/index.ts";

export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "ivy-messaging-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An agent that is torn down at the end of the test. */
export function createAgent(
  dataDir: string,
  options: Partial<MessagingAgentOptions<MessageBody>> = {},
): MessagingAgent {
  const agent = new MessagingAgent({ dataDir, ...options });
  onTestFinished(() => agent.teardown());
  return agent;
}

export const number = (value: number): MessageBody => ({ variant: "data", data: { value } });

/** The values of messages that {@link number} has made. */
export function valuesOf(items: readonly Pick<MessageQueueItem, "message_body">[]): unknown[] {
  return items.map(({ message_body }) =>
    message_body.variant === "data" ? message_body.data["value"] : undefined,
  );
}

/** The queue can be read, and not be written to, until that is called off. */
export function breakQueue(dataDir: string): () => void {
  const database = new Sqlite(join(dataDir, "active-message-queue.sqlite3"));
  onTestFinished(() => void database.close());
  database.exec("CREATE TRIGGER broken BEFORE INSERT ON pending BEGIN SELECT RAISE(FAIL, 'broken'); END");
  return () => void database.exec("DROP TRIGGER broken");
}
