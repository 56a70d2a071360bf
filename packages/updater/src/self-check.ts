import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, loadForeignConfigFromString } from "@ivy/types";
import type { Site } from "./change/site.ts";
import { readGeneration } from "./root/generation.ts";
import { readPointer } from "./root/pointers.ts";

/**
 * What keeps this version from the next change, in words: it has to read the configuration in force as one that may be
 * of any version, and the generation that would run again were it taken back.
 *
 * @throws what reading a file throws (`ENOENT`, `EIO`, ...)
 */
export function selfCheck({ paths, generation }: Pick<Site, "paths" | "generation">): string[] {
  return [
    ...unreadableConfig(join(paths.generations, generation, "config.json")),
    ...unreadableWayBack(paths),
  ];
}

function unreadableConfig(file: string): string[] {
  try {
    loadForeignConfigFromString(readFileSync(file, "utf8"), file);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [`the updater cannot read the configuration in force: ${error.message}`];
  }
}

function unreadableWayBack(paths: Site["paths"]): string[] {
  const name = readPointer(paths, "lastGood");
  if (name === undefined) return ["last-good names no generation"];
  return readGeneration(paths, name) === undefined
    ? [`the updater cannot read ${name}, which last-good names`]
    : [];
}
