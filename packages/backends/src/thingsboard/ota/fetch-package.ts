import type { ThingsBoardNode } from "../node.ts";
import { Download, type DownloadOptions } from "./download.ts";
import { OtaFailure } from "./ota-failure.ts";
import type { PackageRecords } from "./package-records.ts";
import { PartFile } from "./part-file.ts";
import type { Target } from "./target.ts";

export interface FetchOptions extends Omit<DownloadOptions, "kind" | "part"> {
  target: Target;
  records: PackageRecords;
  node: Pick<ThingsBoardNode, "dataDir" | "logger">;
}

/**
 * Downloads and checks a package that the server holds; what is there of it is gone on with.
 *
 * @returns the path of its file
 * @throws OtaFailure where it is not what the server says
 * @throws OtaDeferral where the download cannot be gone on with now
 */
export async function fetchPackage({ target, records, node, ...options }: FetchOptions): Promise<string> {
  const { upload, signal } = options;
  const part = new PartFile(node.dataDir, upload);
  await records.advance(target, "DOWNLOADING");
  for (let resumed = (await part.bytes()) > 0; ; resumed = false) {
    await new Download({ ...options, kind: target.kind, part }).run();
    await records.advance(target, "DOWNLOADED");
    if (await part.isWhole()) break;
    await part.remove();
    if (!resumed) throw new OtaFailure("CHECKSUM_MISMATCH", `it is not ${upload.checksum}`);
    node.logger.warning("What was there of the package is damaged; it is downloaded anew");
  }
  signal.throwIfAborted();
  await records.advance(target, "VERIFIED");
  return part.path;
}
