import { type Config, ConfigError, parseConfig } from "@ivy/types";
import * as z from "zod/mini";
import type { ThingsBoardNode } from "../node.ts";

/** What a method works with. */
export interface RpcContext {
  node: Pick<ThingsBoardNode, "agent" | "messages" | "state">;
  config: Pick<Config, "general">;
  /** The server's number for the request. */
  id: number;
}

/** What a request is answered with, and what follows. */
export interface Performed {
  /** Sent as JSON. */
  answer: unknown;
  /**
   * Done once the answer is sent.
   *
   * @param acknowledged - whether the server has it
   */
  afterwards?(acknowledged: boolean): Promise<void>;
}

/** A method that the server may call. */
export interface RpcMethod<Params = unknown> {
  params: z.ZodMiniType<Params>;
  perform(params: Params, context: RpcContext): Performed | Promise<Performed>;
}

/** A method with its parameters still to be checked. */
export type AnyRpcMethod = (params: unknown, context: RpcContext) => Promise<Performed>;

/** The parameters do not fit the method. */
export class BadParamsError extends Error {
  readonly code = "BAD_PARAMS";
  override readonly name = "BadParamsError";
}

/** @throws BadParamsError (the returned function) where the parameters do not fit */
export function checked<Params>({ params, perform }: RpcMethod<Params>): AnyRpcMethod {
  return async (given, context) => {
    return await perform(check(given, params), context);
  };
}

function check<Params>(given: unknown, schema: z.ZodMiniType<Params>): Params {
  try {
    return parseConfig(given, "params", schema);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(({ path, problem }) =>
      path === "" ? problem : `${path}: ${problem}`,
    );
    throw new BadParamsError(problems.join("; "), { cause: error });
  }
}

/** For methods without parameters: ThingsBoard's own widgets send an empty object or `null` then. */
export const NoParams = z.optional(z.nullable(z.strictObject({})));
