import type { PackageKind } from "./topics.ts";

/** A package that the server has assigned to this node. */
export interface AssignedPackage {
  kind: PackageKind;
  /** As the server names it: any text. */
  title: string;
  version: string;
  tag?: string;
  /** Where the package lies, downloaded and with the right checksum; whoever takes it moves it away. */
  file?: string;
  /** Where it can be had, if the server does not hold it itself: any text. */
  url?: string;
}

/** What becomes of a package that was handed over. */
export type InstallVerdict =
  | { outcome: "accepted" }
  /** It will never be installed. `code` is in capitals, as `VERSION_CHANGE_UNSUPPORTED`. */
  | { outcome: "refused"; code: string; reason: string };

/**
 * Takes over a package, and tells when it is known whether that will run. The node is expected to come back running it;
 * where it comes back without, this is called again, with neither `file` nor `url`, to tell why.
 */
export type InstallPackage = (assigned: AssignedPackage) => Promise<InstallVerdict>;
