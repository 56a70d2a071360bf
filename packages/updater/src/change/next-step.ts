import { configDigest, type ForeignConfig } from "@ivy/types";
import lt from "semver/functions/lt.js";

/** A configuration that has arrived, read back from its file. */
export interface Candidate {
  config: ForeignConfig;
  /** SHA-256 of what arrived. */
  digest: string;
  /** Name of its file in the folder of the configuration. */
  file: string;
  /** Why it cannot even be considered, for example because its file is damaged. */
  damage?: string;
  /** Not sent by the server as a configuration, but given at the node, or `assigned` as a package. */
  local?: boolean;
  /** It asks for a version that the server has assigned. */
  assigned?: boolean;
  /** Path of an archive that holds its version. */
  archive?: string;
}

/** Why the trial of a candidate has failed, if it has. */
export type VerdictOn = (candidate: Candidate, running: Running) => string | undefined;

/** What is running, to hold a candidate against. */
export interface Running {
  /** The configuration in force, exactly as its file holds it. */
  config: ForeignConfig;
  /** The version of this software. */
  version: string;
  /** Why no other version can be put in the place of this one, if so. */
  fixed?: string;
  allowDowngrade: boolean;
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
 * Settles first what is decided in the root already: that one is in force, or that its trial has failed. Then decides about
 * the newest of the configurations that wait. To be asked again after each step: once the newest is in force the older
 * ones are too low, and where it was rejected the next one has its chance.
 */
export function nextStep(
  running: Running,
  candidates: readonly Candidate[],
  verdictOn: VerdictOn,
): Step | undefined {
  const inForce = candidates.find(({ digest }) => digest === configDigest(running.config));
  if (inForce !== undefined) return { action: "finish", candidate: inForce };
  for (const candidate of candidates) {
    const verdict = verdictOn(candidate, running);
    if (verdict !== undefined) return { action: "reject", candidate, reason: verdict };
  }
  const candidate = newest(candidates);
  if (candidate === undefined) return undefined;
  const reason = candidate.damage ?? obstacle(running, candidate);
  return reason === undefined ? { action: "apply", candidate } : { action: "reject", candidate, reason };
}

/** The one to decide about: of the highest revision; of those, the one that came last. */
export function newest(candidates: readonly Candidate[]): Candidate | undefined {
  return candidates.reduce<Candidate | undefined>(
    (best, one) => (best === undefined || revision(one.config) >= revision(best.config) ? one : best),
    undefined,
  );
}

/** Whether a configuration asks for another version than the one that runs. */
export function changesVersion(running: Running, config: ForeignConfig): boolean {
  const version = config.general.software_version;
  // A checkout may run with a configuration for another version; as long as it stays the same, nothing is to change.
  return version !== running.version && version !== running.config.general.software_version;
}

function obstacle(running: Running, { config, local = false }: Candidate): string | undefined {
  const [current, wanted] = [revision(running.config), revision(config)];
  if (wanted === current && !local) {
    return `revision ${wanted} is in force with another content; give the changed configuration a higher revision`;
  }
  if (wanted < current) return `revision ${wanted} is lower than revision ${current}, which is in force`;
  if (!changesVersion(running, config)) return undefined;
  const version = config.general.software_version;
  const fixed = (why: string) => `it is for version ${version}; this node runs ${running.version} and ${why}`;
  if (running.fixed !== undefined) return fixed(running.fixed);
  if (!running.allowDowngrade && lt(version, running.version))
    return fixed("must not go back to a lower one");
  return undefined;
}

function revision(config: ForeignConfig): number {
  return config.general.config_revision;
}
