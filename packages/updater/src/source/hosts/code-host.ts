/** What a tag stands for. */
export interface TaggedCommit {
  commit: string;
  /** Id of the commit's tree, where the host tells it. */
  tree?: string;
}

/** Where to ask for a file, and how. */
export interface Asked {
  url: string;
  headers: Record<string, string>;
}

/** How a host of source code is asked for a release. */
export interface CodeHost {
  /** As a person calls it. */
  name: string;
  /** Headers with the token, for the host of the API alone. */
  credentials: Record<string, string>;
  /** What a tag stands for; undefined if there is none of this name. */
  resolveTag(tag: string, signal: AbortSignal): Promise<TaggedCommit | undefined>;
  /** The archive of a tag or commit. */
  archive(of: { tag: string } | { commit: string }): Asked;
  /** A file beside the release of a tag; undefined if the host can tell that there is none. */
  asset(tag: string, name: string, signal: AbortSignal): Promise<Asked | undefined>;
}
