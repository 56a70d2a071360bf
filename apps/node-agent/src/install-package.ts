import { readFileSync } from "node:fs";
import type {
  AssignedPackage,
  InstallOptions,
  InstallPackage,
  InstallProgress,
  InstallVerdict,
} from "@ivy/backends/thingsboard";
import type { NodeContext } from "@ivy/lifecycle/child";
import { type ChangeState, configDigest, loadForeignConfigFromString, Version } from "@ivy/types";
import { rootPaths, takeArchive } from "@ivy/updater";
import { CONFIG_FILE, GENERATION, NAME, ROOT_DIR } from "./constants.ts";
import { forVersion, leaveChange, outcome, outcomeOf } from "./local-change.ts";

/** What a server is shown of the steps of a change; those that follow are the update itself. */
const SHOWN: Record<string, InstallProgress["state"]> = {
  wait: "DOWNLOADING",
  check: "DOWNLOADING",
  fetch: "DOWNLOADING",
  verify: "DOWNLOADED",
  unpack: "VERIFIED",
};

/** Puts a package in force that the server has assigned, as the version that it names, with the configuration as it is. */
export function installPackageOn(node: NodeContext): InstallPackage {
  return async (assigned, options) => {
    const { version } = assigned;
    if (GENERATION === undefined) return verdictOfCheckout(assigned, node);
    if (!Version.safeParse(version).success)
      return refuse("VERSION_INVALID", `the version of a package must be like 1.2.0; came "${version}"`);
    return await change(assigned, node, options);
  };
}

function verdictOfCheckout({ title, version }: AssignedPackage, { agent }: NodeContext): InstallVerdict {
  if (title === agent.name && version === agent.version) return { outcome: "accepted" };
  return refuse(
    "VERSION_CHANGE_UNSUPPORTED",
    `this node runs from a checkout, which cannot become ${title} ${version} by itself`,
  );
}

async function change(
  { version, file, url }: AssignedPackage,
  node: NodeContext,
  { signal, onProgress }: InstallOptions,
): Promise<InstallVerdict> {
  const config = forVersion(
    loadForeignConfigFromString(readFileSync(CONFIG_FILE, "utf8"), CONFIG_FILE),
    version,
  );
  const digest = configDigest(config);
  const isWaiting = node.state.load().pending_configs.some((pending) => pending.digest === digest);
  if (!isWaiting && outcomeOf(config, node.state) === undefined) {
    if (file === undefined && url === undefined) return { outcome: "unknown" };
    // Without a file, the version is fetched from the repository that the configuration names, never from an address that came along.
    const archive = file && takeArchive(rootPaths(ROOT_DIR, NAME), file);
    await leaveChange({ config, archive, assigned: true }, node);
    onProgress({ state: "DOWNLOADING" });
  }
  const { outcome: decision, reason = "" } = await outcome(config, {
    ...node,
    signal: AbortSignal.any([node.signal, signal]),
    onStep: (update) => {
      const { config_revision, software_version } = config.general;
      if (update.revision === config_revision && update.version === software_version)
        onProgress(progressOf(update));
    },
  });
  return decision === "accepted" ? { outcome: "accepted" } : refuse("UPDATE_REJECTED", reason);
}

function progressOf({ step, text }: ChangeState): InstallProgress {
  const state = SHOWN[step] ?? "UPDATING";
  return step === "wait" ? { state, error: `DEFERRED: ${text}` } : { state };
}

function refuse(code: string, reason: string): InstallVerdict {
  return { outcome: "refused", code, reason };
}
