import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { UpdateDeferredError } from "../errors.ts";

/**
 * The pnpm that a version brings along: the native binary of its package, which needs no Node.
 *
 * @param folder - the version that runs, so that the tools are proven that another one is prepared with
 * @throws UpdateDeferredError `IVY_PNPM_MISSING`
 */
export function pnpmOf(folder: string): string {
  const wrapper = join(folder, "node_modules/pnpm");
  const binary = existsSync(wrapper)
    ? join(realpathSync(wrapper), `../@pnpm/exe.linux-${process.arch}/pnpm`)
    : wrapper;
  if (existsSync(binary) && binary !== wrapper) return binary;
  const message = `There is no pnpm for linux-${process.arch} in ${folder}; no version can be installed with it`;
  throw new UpdateDeferredError("install", "IVY_PNPM_MISSING", message);
}
