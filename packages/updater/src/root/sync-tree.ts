import { execFileSync } from "node:child_process";

/**
 * Makes everything durable that was written to the file system of a folder, whoever wrote it: Node has no `syncfs`.
 * Whoever is about to rely on what another process has left calls it first, for what is there may be there in memory only.
 *
 * @throws what the command `sync` has met (`EIO`), as an error of the child process
 */
export function syncTree(folder: string): void {
  execFileSync("sync", ["-f", folder], { stdio: ["ignore", "ignore", "pipe"] });
}
