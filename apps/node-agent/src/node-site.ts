import { basename } from "node:path";
import { rootPaths, type Site } from "@ivy/updater";
import { GENERATION, NAME, PROJECT_DIR, ROOT_DIR } from "./constants.ts";

/** The node in the field that this process runs on, as its launcher tells; none in a checkout. */
export function nodeSite(): Site | undefined {
  if (GENERATION === undefined) return undefined;
  return {
    paths: rootPaths(ROOT_DIR, NAME),
    generation: basename(GENERATION),
    running: PROJECT_DIR,
    preparation: new URL("./prepare-version.js", import.meta.url),
    attempt: process.env["IVY_TRIAL"],
  };
}
