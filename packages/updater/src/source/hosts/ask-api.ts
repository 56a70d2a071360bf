import type * as z from "zod/mini";
import { UpdateDeferredError } from "../../errors.ts";
import { fetchSmall } from "../http/small-file.ts";
import type { Asked } from "./code-host.ts";

/** Asks an API; undefined if it does not have what is asked for. */
export async function askApi<T>(
  { url, headers }: Asked,
  options: {
    schema: z.ZodMiniType<T>;
    credentials: Record<string, string>;
    what: string;
    missing?: readonly number[];
    signal: AbortSignal;
  },
): Promise<T | undefined> {
  const { schema, what, ...rest } = options;
  const answer = await fetchSmall(url, { headers, what, ...rest });
  if (answer === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(answer.toString()));
  } catch (cause) {
    const message = `${new URL(url).host} sent something else than ${what}: a login page, perhaps`;
    throw new UpdateDeferredError("fetch", "IVY_ANSWER_UNREADABLE", message, { cause });
  }
}
