import { setTimeout as sleep } from "node:timers/promises";
import type { Link } from "@ivy/messaging/forwarder";
import type { Config } from "@ivy/types";
import * as z from "zod/mini";
import { keepClientAttributes, publishClientAttributes } from "./client-attributes.ts";
import type { ThingsBoardNode } from "./node.ts";
import { chunkKey } from "./ota/download.ts";
import { Ota, type OtaMemory } from "./ota/ota.ts";
import { PACKAGE_ATTRIBUTES, readTarget } from "./ota/target.ts";
import { NoAnswerError, type Question, Questions } from "./questions.ts";
import type { Rpc } from "./rpc.ts";
import { type Limits, readLimits } from "./session-limits.ts";
import type { SharedConfiguration } from "./shared-configuration.ts";
import type { Timing } from "./timing.ts";
import { PACKAGE_KINDS, readTopic } from "./topics.ts";

export interface SessionOptions {
  node: ThingsBoardNode;
  config: Pick<Config, "general">;
  timing: Timing;
  rpc: Rpc;
  configuration: SharedConfiguration;
  ota: OtaMemory;
}

/** Attributes, or some of them, by their keys. */
const Attributes = z.record(z.string(), z.unknown());
const AttributesAnswer = z.object({ shared: z.optional(Attributes) });
const Deletion = z.object({ deleted: z.array(z.string()) });

/** What is said over one connection, beside the messages of the queue. */
export class Session {
  readonly #options: SessionOptions;
  readonly #link: Link;
  readonly #questions: Questions;
  readonly #ota: Ota;
  /** Shared attributes have come by themselves since they were asked for. */
  #changedSinceAsked = false;
  /** Work that goes on beside the receiving of messages. */
  readonly #beside = new Set<Promise<void>>();

  constructor(link: Link, options: SessionOptions) {
    this.#options = options;
    this.#link = link;
    this.#questions = new Questions(link);
    const { node, ota, timing } = options;
    this.#ota = new Ota({ link, questions: this.#questions, node, memory: ota, chunkMs: timing.chunkMs });
  }

  /**
   * Asks for the limits, and does what a connection begins with. All of that is over before messages of the queue are
   * sent: should the server close the connection on one of these, that stands out.
   */
  async begin(): Promise<Limits> {
    const limits = readLimits(await this.#askForLimits());
    this.#link.keepTo(limits.server);
    const { node, config, timing } = this.#options;
    const attributes = { link: this.#link, node, config, pauseMs: timing.attributesPauseMs };
    const [published, pulled] = await Promise.all([
      publishClientAttributes(attributes),
      this.#pullShared(),
      this.#ota.reportCurrent(),
    ]);
    this.#doBeside(() => keepClientAttributes(attributes, published));
    if (!pulled) this.#doBeside(() => this.#pullAgain());
    return limits;
  }

  async receive(topic: string, payload: Buffer): Promise<void> {
    const incoming = readTopic(topic);
    switch (incoming?.kind) {
      case "attributes":
        return await this.#takePush(parse(payload));
      case "attributes-answer":
        await this.#takeAnswer(payload);
        return this.#questions.answer(`attributes ${incoming.id}`, payload);
      case "rpc-answer":
        return this.#questions.answer(`rpc ${incoming.id}`, payload);
      case "chunk":
        return this.#questions.answer(chunkKey(incoming.id, incoming.chunk), payload);
      case "package-error":
        return this.#ota.takeError(payload.toString());
      case "rpc":
        // Acknowledged at once: the server waits for that only a few seconds.
        return this.#doBeside(() => this.#options.rpc.handle(incoming.id, payload, this.#link));
    }
  }

  /** Resolves once nothing goes on any longer; to be called when the connection has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#beside);
  }

  async #askForLimits(): Promise<Buffer | undefined> {
    const id = this.#questions.nextId();
    return await this.#ask({
      topic: `v1/devices/me/rpc/request/${id}`,
      payload: JSON.stringify({ method: "getSessionLimits", params: {} }),
      key: `rpc ${id}`,
    });
  }

  /** Asks for all that the server may have changed meanwhile, for it does not tell by itself; whether it answers. */
  async #pullShared(): Promise<boolean> {
    this.#changedSinceAsked = false;
    const id = this.#questions.nextId();
    const answer = await this.#ask({
      topic: `v1/devices/me/attributes/request/${id}`,
      payload: JSON.stringify({ sharedKeys: ["configuration", ...PACKAGE_ATTRIBUTES].join(",") }),
      key: `attributes ${id}`,
    });
    return answer !== undefined;
  }

  async #pullAgain(): Promise<void> {
    const { timing, node } = this.#options;
    node.logger.warning("The server does not tell the shared attributes; it is asked again until it does");
    do await sleep(timing.askAgainMs, undefined, { signal: this.#link.signal });
    while (!(await this.#pullShared()));
  }

  /** The answer to a question; nothing if the server does not answer in time. */
  async #ask(question: Pick<Question, "topic" | "payload" | "key">): Promise<Buffer | undefined> {
    const { answerMs } = this.#options.timing;
    try {
      return await this.#questions.ask({ ...question, timeoutMs: answerMs, signal: this.#link.signal });
    } catch (error) {
      if (error instanceof NoAnswerError) return undefined;
      throw error;
    }
  }

  /** What was changed while the answer was on its way is newer than that. */
  async #takeAnswer(payload: Buffer): Promise<void> {
    if (this.#changedSinceAsked) this.#doBeside(async () => void (await this.#pullShared()));
    else await this.#takeAll(AttributesAnswer.safeParse(parse(payload)).data?.shared ?? {});
  }

  async #takeAll(shared: Record<string, unknown>): Promise<void> {
    for (const kind of PACKAGE_KINDS) this.#doBeside(() => this.#ota.assign(kind, readTarget(kind, shared)));
    if ("configuration" in shared) await this.#options.configuration.take(shared["configuration"]);
  }

  /** What has changed. The server saves all that it says about a package together, so it comes together too. */
  async #takePush(message: unknown): Promise<void> {
    this.#changedSinceAsked = true;
    const deleted = Deletion.safeParse(message).data?.deleted ?? [];
    const changed = Attributes.safeParse(message).data ?? {};
    for (const kind of PACKAGE_KINDS) {
      if (deleted.includes(`${kind}_title`)) this.#doBeside(() => this.#ota.assign(kind, undefined));
      if (`${kind}_title` in changed && `${kind}_version` in changed)
        this.#doBeside(() => this.#ota.assign(kind, readTarget(kind, changed)));
    }
    if ("configuration" in changed) await this.#options.configuration.take(changed["configuration"]);
  }

  #doBeside(work: () => Promise<void>): void {
    const done = work().catch((error) => {
      // With the connection everything ends that goes on over it.
      if (!this.#link.signal.aborted) this.#options.node.logger.exception(error);
    });
    this.#beside.add(done);
    void done.then(() => this.#beside.delete(done));
  }
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}
