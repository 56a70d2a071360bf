export { UpdateDeferredError, UpdateRejectedError, type UpdateStep } from "./errors.ts";
export { makeKey, type ReleaseManifest, signRelease, verifyRelease } from "./signature/release.ts";
export { type FetchSourceOptions, fetchSource } from "./source/fetch-source.ts";
export type { SourceLimits } from "./source/limits.ts";
export { type OpenArchiveOptions, openArchive } from "./source/open-archive.ts";
export type { UnpackedSource } from "./source/verify-and-unpack.ts";
export { Updater, type UpdaterOptions } from "./updater.ts";
