import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { replaceFile, syncFolder } from "@ivy/files";
import { syncTree } from "../root/sync-tree.ts";

/**
 * To be called before anything is written to the store. If the power failed during an install, what the store says of
 * its files may be on disk and the files not: then it is emptied.
 */
export function claimStore(store: string): void {
  const [claim, boot] = [claimOf(store), bootId()];
  mkdirSync(dirname(store), { recursive: true });
  const claimedBy = readClaim(claim);
  if (claimedBy !== undefined && claimedBy !== boot) rmSync(store, { recursive: true, force: true });
  replaceFile(claim, boot);
}

/** To be called once an install has succeeded: what it has added to the store is on disk from now on. */
export function releaseStore(store: string): void {
  syncTree(dirname(store));
  rmSync(claimOf(store));
  syncFolder(dirname(store));
}

function claimOf(store: string): string {
  return `${store}.claim`;
}

function readClaim(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Another one with every boot, and only then. */
function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
