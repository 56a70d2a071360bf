import type { UpdaterConfig } from "@ivy/types";
import type { SourceLimits } from "./limits.ts";
import type { Expected } from "./verify-and-unpack.ts";

export interface SourceOptions {
  updater: UpdaterConfig;
  version: string;
  /** That the tag must stand for. */
  commit?: string | undefined;
  stage: string;
  limits: SourceLimits;
  signal: AbortSignal;
  onProgress?: ((bytes: number, total?: number) => void) | undefined;
}

/** An archive that lies in the stage, and what it must turn out to be. */
export interface StagedArchive {
  file: string;
  expected: Expected;
  /** Throws the archive away. */
  remove(): void;
}
