import { configDigest, type ForeignConfig } from "@ivy/types";

/** A configuration that has arrived, read back from its file. */
export interface Candidate {
  config: ForeignConfig;
  /** SHA-256 of what arrived. */
  digest: string;
  /** Why it cannot even be considered, for example because its file is damaged. */
  damage?: string;
}

/** What is running, to hold a candidate against. */
export interface Running {
  /** The configuration in force, exactly as its file holds it. */
  config: ForeignConfig;
  /** The version of this software. */
  version: string;
}

/**
 * What to do with one candidate.
 *
 * - `apply`: put it in force, if it fits the schema
 * - `finish`: it is in force already, only the answer is missing (the power failed in between)
 * - `reject`: it will never be in force
 */
export type Step =
  | { action: "apply" | "finish"; candidate: Candidate }
  | { action: "reject"; candidate: Candidate; reason: string };

/**
 * Decides about the newest of the configurations that wait. To be asked again after each step: once the newest is
 * in force the older ones are too low, and where it was rejected the next one has its chance.
 */
export function nextStep(running: Running, candidates: readonly Candidate[]): Step | undefined {
  const [candidate] = [...candidates].sort((a, b) => revision(b.config) - revision(a.config));
  if (candidate === undefined) return undefined;
  if (candidate.digest === configDigest(running.config)) return { action: "finish", candidate };
  const reason = candidate.damage ?? obstacle(running, candidate.config);
  return reason === undefined ? { action: "apply", candidate } : { action: "reject", candidate, reason };
}

function obstacle(running: Running, config: ForeignConfig): string | undefined {
  const [current, wanted] = [revision(running.config), revision(config)];
  if (wanted === current) {
    return `revision ${wanted} is in force with another content; give the changed configuration a higher revision`;
  }
  if (wanted < current) return `revision ${wanted} is lower than revision ${current}, which is in force`;
  const version = config.general.software_version;
  if (version === running.version || version === running.config.general.software_version) return undefined;
  return `it is for version ${version}; this node runs ${running.version} and cannot change its version by itself`;
}

function revision(config: ForeignConfig): number {
  return config.general.config_revision;
}
