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

/** What else there is to know about candidates. */
export interface Knowledge {
  verdictOn: VerdictOn;
  /** Those that have to wait now. */
  waiting?: readonly Candidate[];
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
 * ones are too low, and where it was rejected the next one has its chance. One that has to wait supersedes those of its
 * origin all the same, but holds up no other: somebody at the node and the server do not know of each other.
 */
export function nextStep(
  running: Running,
  candidates: readonly Candidate[],
  { verdictOn, waiting = [] }: Knowledge,
): Step | undefined {
  const inForce = candidates.find(({ digest }) => digest === configDigest(running.config));
  if (inForce !== undefined) return { action: "finish", candidate: inForce };
  for (const candidate of candidates) {
    const verdict = verdictOn(candidate, running);
    if (verdict !== undefined) return { action: "reject", candidate, reason: verdict };
  }
  const candidate = newest(candidates.filter((one) => !isHeldUp(one, candidates, waiting)));
  if (candidate === undefined) return undefined;
  const reason = candidate.damage ?? obstacle(running, candidate);
  if (reason !== undefined) return { action: "reject", candidate, reason };
  const replaced = candidates.find((one) => isReplaced(one, candidate));
  if (replaced === undefined) return { action: "apply", candidate };
  const by = `version ${candidate.config.general.software_version} that came after it`;
  return { action: "reject", candidate: replaced, reason: `a change to ${by} has taken its place` };
}

/** Somebody at the node, packages among it, or the server with its configurations. */
export function isOfOneOrigin(one: Candidate, other: Candidate): boolean {
  return (one.local ?? false) === (other.local ?? false);
}

/** Whether the newest of its origin has to wait, itself maybe. */
function isHeldUp(one: Candidate, candidates: readonly Candidate[], waiting: readonly Candidate[]): boolean {
  const first = newest(candidates.filter((other) => isOfOneOrigin(one, other)));
  return waiting.some(({ digest }) => digest === first?.digest);
}

/** Of those that may keep the revision in force, an earlier one is not too low for that reason when a later one is in force. */
function isReplaced(one: Candidate, by: Candidate): boolean {
  const isEarlier = one !== by && revision(one.config) === revision(by.config);
  return isEarlier && one.local === true && by.local === true;
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

/** Which revision and version a configuration asks for. */
export function aboutOf({ general }: ForeignConfig): { revision: number; version: string } {
  return { revision: general.config_revision, version: general.software_version };
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
