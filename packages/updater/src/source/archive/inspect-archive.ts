import { UpdateRejectedError } from "../../errors.ts";
import { type GitTree, hashBlob, treeId } from "../git-tree.ts";
import { tooLarge } from "./archive-errors.ts";
import { type ReadArchiveOptions, readArchive } from "./read-archive.ts";

/** What an archive holds. */
export interface ArchiveContent {
  /** Commit that git has noted in it. */
  commit?: string;
  /** Id of the tree that git would make of its files. */
  treeId: string;
}

/**
 * Reads a whole archive without writing anything, so that whatever is wrong with it is known before the first file.
 *
 * @throws what {@link readArchive} throws
 */
export async function inspectArchive(options: ReadArchiveOptions): Promise<ArchiveContent> {
  const tree: GitTree = new Map();
  let [files, folders] = [0, 0];
  const { commit } = await readArchive(options, ({ parts, executable, size }) => {
    const name = parts.at(-1) as string;
    let folder = tree;
    for (const part of parts.slice(0, -1)) {
      const next = folder.get(part) ?? new Map();
      if (!(next instanceof Map)) throw twice(parts);
      if (next.size === 0) folders++;
      folder = folder.set(part, next) && next;
    }
    if (folder.has(name)) throw twice(parts);
    files++;
    if (files + folders > options.limits.entries) {
      throw tooLarge(`it has more than ${options.limits.entries} files and folders`);
    }
    const hash = hashBlob(size);
    const mode = executable ? "100755" : "100644";
    folder.set(name, { mode, id: Buffer.alloc(0) });
    const end = () => folder.set(name, { mode, id: hash.digest() });
    return { write: (chunk) => void hash.update(chunk), end };
  });
  return { ...(commit === undefined ? {} : { commit }), treeId: treeId(tree) };
}

function twice(parts: readonly string[]): UpdateRejectedError {
  return new UpdateRejectedError(
    "unpack",
    "IVY_ARCHIVE_PATH",
    `The archive has ${JSON.stringify(parts.join("/").slice(0, 100))} twice, or as a file and as a folder. ` +
      "Nothing of it has been unpacked",
  );
}
