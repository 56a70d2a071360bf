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
  /** Nothing is known about it, and there is no `file` or `url` to take it from. */
  | { outcome: "unknown" }
  /** It will never be installed. `code` is in capitals, as `VERSION_CHANGE_UNSUPPORTED`. */
  | { outcome: "refused"; code: string; reason: string };

/** How far a package is that was taken over. */
export interface InstallProgress {
  state: "DOWNLOADING" | "DOWNLOADED" | "VERIFIED" | "UPDATING";
  /** What it waits for, or why it is tried again later: `CODE: text`. */
  error?: string;
}

export interface InstallOptions {
  /** Ends the waiting for the verdict, not the installation. */
  signal: AbortSignal;
  /** To be called when the package is taken over, and whenever it is further. */
  onProgress: (progress: InstallProgress) => void;
}

/**
 * Takes over a package, and tells when it is known whether that runs and has proven itself. Once it is taken over, this
 * is called again without `file` whenever the backend has connected anew, and whichever version runs then.
 *
 * @throws the reason of the signal
 */
export type InstallPackage = (assigned: AssignedPackage, options: InstallOptions) => Promise<InstallVerdict>;
