export { type RootPaths, rootPaths, versionFolder } from "./root/paths.ts";
export { Updater, type UpdaterOptions } from "./updater.ts";
