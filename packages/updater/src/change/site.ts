import type { UpdateStep } from "../errors.ts";
import type { RootPaths } from "../root/paths.ts";

/** A node in the field: the root that versions and configurations are put in force below. */
export interface Site {
  paths: RootPaths;
  /** Name of the generation that runs. */
  generation: string;
  /** Folder of the version that runs. */
  running: string;
  /** Module of the process that prepares versions: it calls `runPreparation`. */
  preparation: URL;
  /** Folder of the records of this start, where the generation is on trial: the launcher takes it back unless it is committed. */
  attempt?: string | undefined;
}

/** How far a change is, for whoever shows it. */
export interface ChangeProgress {
  revision: number;
  version: string;
  step: UpdateStep | "wait" | "switch";
  text: string;
}
