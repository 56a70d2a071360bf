import { configDigest } from "@ivy/types";
import * as z from "zod/mini";
import { receiveConfig } from "../receive-config.ts";
import type { ThingsBoardNode } from "./node.ts";

/** The user counts the revisions; without one, not even a rejection could be told from another. */
const Revised = z.looseObject({ general: z.looseObject({ config_revision: z.int() }) });

/** Takes the shared attribute `configuration` whenever the server tells it. */
export class SharedConfiguration {
  readonly #node: ThingsBoardNode;
  /** Of what was no configuration; the server tells it again at every connect. */
  readonly #complainedAbout = new Set<string>();

  constructor(node: ThingsBoardNode) {
    this.#node = node;
  }

  /** @param value - an object, or a text that holds one as JSON */
  async take(value: unknown): Promise<void> {
    const config = typeof value === "string" ? parse(value) : value;
    const revised = Revised.safeParse(config);
    if (revised.success) await receiveConfig(revised.data, revised.data.general.config_revision, this.#node);
    else this.#complain(value);
  }

  #complain(value: unknown): void {
    const digest = configDigest(value);
    if (this.#complainedAbout.has(digest)) return;
    this.#complainedAbout.add(digest);
    this.#node.logger.error(
      "The shared attribute configuration is not a configuration, and cannot be answered",
      "Expected: an object, or its JSON text, with a whole number general.config_revision that grows with every change",
    );
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
