import type { Mapping, Publish, Refusal, ServerProtocol } from "@ivy/messaging/forwarder";
import {
  type ConfigMessageBody,
  type DataMessageBody,
  type LogMessageBody,
  MAX_REVISION,
  type MessageQueueItem,
} from "@ivy/types";

/** Tenta cuts the text of a log message at this many characters. */
const LONGEST_LOG_MESSAGE = 16_384;
const CUT_MARK = "\n[...] cut by the node";

const LONGEST_KEY = 64;
const KEY = /^[a-z0-9](_?[a-z0-9])*$/;

/** Larger payloads gain nothing, and brokers refuse them sooner or later; in characters. */
const LARGEST_PAYLOAD = 128 * 1024;

const SEVERITY = {
  DEBUG: "info",
  INFO: "info",
  WARNING: "warning",
  ERROR: "error",
  EXCEPTION: "error",
} as const;

/** What becomes of one message. */
interface Mapped {
  /** The topic's first level, and the element of the array that is published there; nothing if there is no word for it. */
  send?: { kind: "measurements" | "logs" | "acknowledgments"; element: Record<string, unknown> };
  /** Why it cannot be sent, or not the whole of it. */
  refused?: string;
}

/** Where a sensor's messages go, and what to do with a configuration that arrives. */
export interface TentaOptions {
  /** The sensor identifier at the server. */
  sensor: string;
  receiveConfig(payload: Buffer): Promise<void>;
}

/**
 * The contract of the Tenta server. It drops a whole array for one bad element and tells nobody, so each element is
 * checked here before it joins one.
 *
 * @throws RangeError where the sensor identifier cannot stand in a topic
 */
export function tentaProtocol({ sensor, receiveConfig }: TentaOptions): ServerProtocol {
  if (/[+#/\0]/.test(sensor)) {
    throw new RangeError(
      `general.system_identifier is "${sensor}": a topic cannot hold the characters + # / in it`,
    );
  }
  return {
    subscriptions: [`configurations/${sensor}`],
    map: (messages) => mapMessages(sensor, messages),
    receive: (_topic, payload) => receiveConfig(payload),
  };
}

function mapMessages(sensor: string, messages: readonly MessageQueueItem[]): Mapping {
  const batches: { topic: string; elements: string[]; identifiers: number[]; size: number }[] = [];
  const settled: number[] = [];
  const refused: Refusal[] = [];
  for (const message of messages) {
    const { identifier } = message;
    const { send, refused: reason } = mapMessage(message);
    if (reason !== undefined) refused.push({ identifier, reason });
    if (send === undefined) {
      if (reason === undefined) settled.push(identifier);
      continue;
    }
    const topic = `${send.kind}/${sensor}`;
    const element = JSON.stringify(send.element);
    const last = batches.at(-1);
    // Only neighbours share a publish: so nothing overtakes anything, whatever the topic.
    if (last?.topic === topic && last.size + element.length <= LARGEST_PAYLOAD) {
      last.elements.push(element);
      last.identifiers.push(identifier);
      last.size += element.length;
    } else batches.push({ topic, elements: [element], identifiers: [identifier], size: element.length });
  }
  const publishes: Publish[] = batches.map(({ topic, elements, identifiers }) => ({
    topic,
    payload: `[${elements.join(",")}]`,
    identifiers,
  }));
  return { publishes, settled, refused };
}

function mapMessage(message: MessageQueueItem): Mapped {
  const { timestamp, revision, message_body: body } = message;
  // A node that has not had a configuration yet has no revision that the server would take.
  const when = { timestamp, ...(isRevision(revision) ? { revision } : {}) };
  switch (body.variant) {
    case "data":
      return mapData(body, when);
    case "log":
      return {
        send: { kind: "logs", element: { message: logText(body), severity: SEVERITY[body.level], ...when } },
      };
    case "config":
      return mapConfigState(body, timestamp);
  }
}

function mapData({ data }: DataMessageBody, when: object): Mapped {
  const carried: Record<string, number> = {};
  const problems: string[] = [];
  for (const [key, value] of Object.entries(data)) {
    if (typeof value !== "number") problems.push(`"${key}" is not a number`);
    else if (!Number.isFinite(value)) problems.push(`"${key}" is not finite`);
    else if (key.length > LONGEST_KEY || !KEY.test(key))
      problems.push(`"${key}" is not a key that Tenta takes`);
    else carried[key] = value;
  }
  const reason = problems.length === 0 ? {} : { refused: problems.join(", ") };
  if (Object.keys(carried).length === 0) return { refused: reason.refused ?? "there is no value in it" };
  return { send: { kind: "measurements", element: { value: carried, ...when } }, ...reason };
}

function mapConfigState({ status, config }: ConfigMessageBody, timestamp: number): Mapped {
  if (status === "received" || status === "startup") return {};
  const revision = config.general.config_revision;
  if (!isRevision(revision)) return { refused: `the revision ${revision} is not one that Tenta takes` };
  return {
    send: { kind: "acknowledgments", element: { success: status === "accepted", timestamp, revision } },
  };
}

function logText({ subject, body }: LogMessageBody): string {
  const text = body === "" ? subject : `${subject}\n\n${body}`;
  if (text.length <= LONGEST_LOG_MESSAGE) return text;
  return text.slice(0, LONGEST_LOG_MESSAGE - CUT_MARK.length).replace(/[\uD800-\uDBFF]$/, "") + CUT_MARK;
}

function isRevision(revision: number | undefined): revision is number {
  return revision !== undefined && Number.isInteger(revision) && revision >= 0 && revision <= MAX_REVISION;
}
