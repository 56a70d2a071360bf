import type { Mapping, Publish, Refusal } from "@ivy/messaging/forwarder";
import type { MessageQueueItem } from "@ivy/types";
import { asElement, type Element } from "./thingsboard/element.ts";

export const TELEMETRY_TOPIC = "v1/devices/me/telemetry";

/** What one publish of telemetry can carry. */
export interface TelemetryLimits {
  /** Largest payload, in bytes. */
  payloadBytes: number;
  /** Most values; not limited if left out. */
  dataPoints?: number;
}

/**
 * Maps messages to telemetry of a device at ThingsBoard, as many as fit into a publish together: data as its values,
 * logs and configuration states under the keys `logging` and `configuration`.
 *
 * ThingsBoard closes the connection on a payload that it does not take, so each value is checked here before it joins
 * one. What cannot be carried is refused with the reason; of a message that can be carried in part, the part is sent.
 */
export function mapToTelemetry(messages: readonly MessageQueueItem[], limits: TelemetryLimits): Mapping {
  const batches = new Batches(limits);
  const refused: Refusal[] = [];
  for (const message of messages) {
    const { identifier } = message;
    const { element, refused: reason } = asElement(message, limits);
    if (reason !== undefined) refused.push({ identifier, reason });
    if (element !== undefined) batches.add(element, identifier);
  }
  return { publishes: batches.publishes(), settled: [], refused };
}

interface Batch {
  elements: string[];
  identifiers: number[];
  bytes: number;
  dataPoints: number;
}

/** Brackets of the array, and the comma after each element. */
const BRACKETS = 2;
const COMMA = 1;

class Batches {
  readonly #limits: TelemetryLimits;
  readonly #batches: Batch[] = [];

  constructor(limits: TelemetryLimits) {
    this.#limits = limits;
  }

  add({ json, bytes, dataPoints }: Element, identifier: number): void {
    const batch = this.#withRoomFor(bytes + COMMA, dataPoints);
    batch.elements.push(json);
    batch.identifiers.push(identifier);
    batch.bytes += bytes + COMMA;
    batch.dataPoints += dataPoints;
  }

  publishes(): Publish[] {
    return this.#batches.map(({ elements, identifiers, dataPoints }) => ({
      topic: TELEMETRY_TOPIC,
      payload: `[${elements.join(",")}]`,
      identifiers,
      dataPoints,
    }));
  }

  #withRoomFor(bytes: number, dataPoints: number): Batch {
    const last = this.#batches.at(-1);
    const most = this.#limits.dataPoints ?? Number.POSITIVE_INFINITY;
    if (
      last !== undefined &&
      last.bytes + bytes <= this.#limits.payloadBytes &&
      last.dataPoints + dataPoints <= most
    ) {
      return last;
    }
    const batch: Batch = { elements: [], identifiers: [], bytes: BRACKETS, dataPoints: 0 };
    this.#batches.push(batch);
    return batch;
  }
}
