/** For the module of the process that prepares a version: see {@link Site}. */
export { runPreparation } from "./change/prepare-child.ts";
