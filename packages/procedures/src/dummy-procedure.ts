import type { Config } from "@ivy/types";
import type { ProcedureContext } from "./context.ts";
import { forEachDatapoint } from "./for-each-datapoint.ts";

/** Above this load a measurement would not be worth much, in percent. */
const HIGHEST_LOAD = 75;

/** A random walk in two dimensions: an example to replace with a procedure that measures something. */
export async function run(
  config: Pick<Config, "dummy_procedure">,
  _name: string,
  node: ProcedureContext,
): Promise<void> {
  let [a, b] = [0, 0];
  await forEachDatapoint({ seconds: config.dummy_procedure.seconds_between_datapoints, node }, async () => {
    const load = node.state.load().system.last_5_min_load ?? 0;
    if (load >= HIGHEST_LOAD)
      throw new Error(`The system load is ${load} %: no measurement above ${HIGHEST_LOAD} %`);
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
