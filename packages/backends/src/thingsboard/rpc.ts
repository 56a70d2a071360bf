import type { Link } from "@ivy/messaging/forwarder";
import type { Config } from "@ivy/types";
import * as z from "zod/mini";
import type { ThingsBoardNode } from "./node.ts";
import { AnswerMemory } from "./rpc/answer-memory.ts";
import { logsLevel } from "./rpc/logs-level.ts";
import { type AnyRpcMethod, BadParamsError, type Performed } from "./rpc/method.ts";
import { ping } from "./rpc/ping.ts";
import { queueStats } from "./rpc/queue-stats.ts";
import { restart } from "./rpc/restart.ts";
import { status } from "./rpc/status.ts";

/** All that the server may call. */
const METHODS = new Map<string, AnyRpcMethod>([
  ["ping", ping],
  ["status", status],
  ["restart", restart],
  ["logs.level", logsLevel],
  ["queue.stats", queueStats],
]);

/** How much of the name of a method that there is not is repeated, in characters. */
const SHOWN_OF_METHOD = 64;

const Request = z.object({ method: z.string(), params: z.optional(z.unknown()) });

/** Commands of the server: a closed list of methods, each performed once, everything else answered with an error. */
export class Rpc {
  readonly #node: ThingsBoardNode;
  readonly #config: Pick<Config, "general">;
  readonly #memory = new AnswerMemory();

  constructor(node: ThingsBoardNode, config: Pick<Config, "general">) {
    this.#node = node;
    this.#config = config;
  }

  /** Performs and answers a request. */
  async handle(id: number, payload: Buffer, link: Link): Promise<void> {
    const text = payload.toString();
    const { answer, afterwards } = await this.#memory.answer(id, text, () => this.#perform(id, text));
    const acknowledged = await this.#send(id, answer, link);
    if (acknowledged) this.#memory.acknowledged(id);
    await afterwards?.(acknowledged);
  }

  async #perform(id: number, text: string): Promise<Performed> {
    const request = parse(text);
    if (request === undefined) return failure("BAD_REQUEST", "an object with method and params was expected");
    const method = METHODS.get(request.method);
    if (method === undefined) {
      const known = [...METHODS.keys()].join(", ");
      const name = request.method.slice(0, SHOWN_OF_METHOD);
      return failure("UNKNOWN_METHOD", `"${name}" is not a method of this node; there are ${known}`);
    }
    this.#node.logger.info(`The server calls ${request.method}`);
    try {
      return await method(request.params, { node: this.#node, config: this.#config, id });
    } catch (error) {
      if (error instanceof BadParamsError) return failure(error.code, error.message);
      this.#node.logger.exception(error, { label: `${request.method} has failed` });
      return failure("FAILED", (error as Error).message);
    }
  }

  /** Whether the server has acknowledged the answer; if the connection is lost before, the server asks again. */
  async #send(id: number, answer: unknown, link: Link): Promise<boolean> {
    try {
      await link.publish(`v1/devices/me/rpc/response/${id}`, JSON.stringify(answer));
      return true;
    } catch (error) {
      this.#node.logger.debug(`The answer to the call ${id} could not be sent`, String(error));
      return false;
    }
  }
}

function failure(code: string, message: string): Performed {
  return { answer: { error: { code, message } } };
}

function parse(text: string): z.infer<typeof Request> | undefined {
  try {
    return Request.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
