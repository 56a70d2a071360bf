export { type ArchiveEntry, makeArchive } from "./testing/make-archive.ts";
export {
  type RecordedRequest,
  type ReleaseServer,
  type ReleaseServerOptions,
  startReleaseServer,
} from "./testing/release-server.ts";
export { createRepository, type TaggedRelease, type TestRepository } from "./testing/repository.ts";
export type { HostedRelease } from "./testing/routes.ts";
export type { Trouble } from "./testing/serve-file.ts";
