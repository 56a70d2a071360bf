import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { AssignedPackage, InstallPackage, InstallVerdict } from "@ivy/backends/thingsboard";
import type { NodeContext } from "@ivy/lifecycle/child";
import { loadForeignConfigFromString, Version } from "@ivy/types";
import { rootPaths } from "@ivy/updater";
import { CONFIG_FILE, GENERATION, NAME, ROOT_DIR } from "./constants.ts";
import { forVersion, leaveChange, outcome, outcomeOf } from "./local-change.ts";

/** Puts a package in force that the server has assigned, as the version that it names, with the configuration as it is. */
export function installPackageOn(node: NodeContext): InstallPackage {
  return async (assigned) => {
    const { title, version } = assigned;
    if (GENERATION === undefined)
      return refuse(
        "VERSION_CHANGE_UNSUPPORTED",
        `this node runs from a checkout, which cannot become ${title} ${version} by itself`,
      );
    if (!Version.safeParse(version).success)
      return refuse("VERSION_INVALID", `the version of a package must be like 1.2.0; came "${version}"`);
    const inForce = loadForeignConfigFromString(readFileSync(CONFIG_FILE, "utf8"), CONFIG_FILE);
    const config = forVersion(inForce, version);
    if (outcomeOf(config, node.state) === undefined) {
      if (!isWaiting(version, node)) await leaveChange({ config, archive: keep(assigned) }, node);
    }
    const { outcome: decision, reason = "" } = await outcome(config, node);
    return decision === "accepted" ? { outcome: "accepted" } : refuse("UPDATE_REJECTED", reason);
  };
}

function refuse(code: string, reason: string): InstallVerdict {
  return { outcome: "refused", code, reason };
}

function isWaiting(version: string, { state }: NodeContext): boolean {
  return state
    .load()
    .pending_configs.some(({ local, general }) => local && general.software_version === version);
}

/** Without a file, the version is fetched from the repository that the configuration names, never from an address that came along. */
function keep({ file }: AssignedPackage): string | undefined {
  if (file === undefined) return undefined;
  const folder = join(rootPaths(ROOT_DIR, NAME).inbox, randomUUID());
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const kept = join(folder, "package.tar.gz");
  renameSync(file, kept);
  return kept;
}
