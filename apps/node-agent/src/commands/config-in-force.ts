import { join } from "node:path";
import { CONFIG_DIR } from "../constants.ts";

/** The file of the configuration in force: that of the generation which the launcher has started, else the checkout's. */
export function configInForce(): string {
  const generation = process.env["IVY_GENERATION"];
  return generation === undefined ? join(CONFIG_DIR, "config.json") : join(generation, "config.json");
}
