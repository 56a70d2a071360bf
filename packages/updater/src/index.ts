export { Updater, type UpdaterOptions } from "./updater.ts";
