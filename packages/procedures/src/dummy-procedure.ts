import type { Config } from "@ivy/types";
import type { ProcedureContext } from "./context.ts";
import { forEachDatapoint } from "./for-each-datapoint.ts";

/** A random walk in two dimensions: an example to replace with a procedure that measures something. */
export async function run(
  config: Pick<Config, "dummy_procedure">,
  _name: string,
  node: ProcedureContext,
): Promise<void> {
  let [a, b] = [0, 0];
  await forEachDatapoint({ seconds: config.dummy_procedure.seconds_between_datapoints, node }, async () => {
    [a, b] = [a + step(), b + step()];
    await node.messages.addMessage({
      variant: "data",
      data: { random_walk_a_position: a, random_walk_b_position: b },
    });
  });
}

function step(): number {
  return Math.random() < 0.5 ? 1 : -1;
}
