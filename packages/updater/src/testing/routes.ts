import type { IncomingMessage, ServerResponse } from "node:http";
import { serveGit } from "./git-http.ts";
import { serveFile, type Trouble } from "./serve-file.ts";

/** A release, as it lies at the host. */
export interface HostedRelease {
  /** Like `orgname/reponame`. */
  repository: string;
  tag: string;
  commit: string;
  tree: string;
  /** What the host makes of the commit: gzip-compressed. */
  archive: Uint8Array;
  /** Files beside it, like `ivy-release.json`. */
  assets?: Record<string, string | Uint8Array>;
}

/** A request under way. */
export interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  trouble: Trouble | undefined;
  /** Whether the token was there, or is not needed. */
  allowed: boolean;
  releases: HostedRelease[];
  apiHost: string;
  storageHost: string;
  /** Folder of what git may clone. */
  gitRoot: string | undefined;
}

type Route = [pattern: RegExp, answer: (call: Call, ...parts: string[]) => unknown];

/** Assets have numbers that are unique at the host. */
const ASSETS_PER_RELEASE = 100;

const GITHUB: Route[] = [
  [
    /^\/api\/v3\/repos\/([^/]+\/[^/]+)\/tarball\/(?:refs\/tags\/)?(.+)$/,
    (call, repository, ref) => {
      const found = find(call, repository, ref);
      if (found === undefined) return notFound(call);
      return redirect(
        call,
        `https://${call.storageHost}/${repository}/legacy.tar.gz/${found.commit}?token=signed`,
      );
    },
  ],
  [
    /^\/api\/v3\/repos\/([^/]+\/[^/]+)\/commits\/(.+)$/,
    (call, repository, ref = "") => {
      const found = find(call, repository, ref.replace(/^tags\//, ""));
      if (found === undefined) return json(call, { message: "No commit found for SHA" }, 422);
      return json(call, { sha: found.commit, commit: { tree: { sha: found.tree } } });
    },
  ],
  [
    /^\/api\/v3\/repos\/([^/]+\/[^/]+)\/releases\/tags\/(.+)$/,
    (call, repository, tag) => {
      const found = find(call, repository, tag);
      if (found?.assets === undefined) return notFound(call);
      const first = call.releases.indexOf(found) * ASSETS_PER_RELEASE;
      const assets = Object.keys(found.assets).map((name, index) => ({ id: first + index, name }));
      return json(call, { tag_name: tag, assets });
    },
  ],
  [
    /^\/api\/v3\/repos\/([^/]+\/[^/]+)\/releases\/assets\/(\d+)$/,
    (call, repository, id) => {
      const release = call.releases[Math.floor(Number(id) / ASSETS_PER_RELEASE)];
      const name = Object.keys(release?.assets ?? {})[Number(id) % ASSETS_PER_RELEASE];
      if (release?.repository !== repository || name === undefined) return notFound(call);
      const path = `${repository}/assets/${release.commit}/${name}`;
      return redirect(call, `https://${call.storageHost}/${path}?signature=signed`);
    },
  ],
];

const GITLAB: Route[] = [
  [
    /^\/api\/v4\/projects\/([^/]+)\/repository\/archive\.tar\.gz\?sha=(.+)$/,
    (call, repository, ref) => file(call, find(call, repository, ref)?.archive),
  ],
  [
    /^\/api\/v4\/projects\/([^/]+)\/repository\/tags\/([^/]+)$/,
    (call, repository, tag) => {
      const found = find(call, repository, tag);
      return found === undefined ? notFound(call) : json(call, { name: tag, commit: { id: found.commit } });
    },
  ],
  [
    /^\/api\/v4\/projects\/([^/]+)\/releases\/([^/]+)\/downloads\/(.+)$/,
    (call, repository = "", tag, name = "") => {
      if (find(call, repository, tag)?.assets?.[name] === undefined) return notFound(call);
      const project = encodeURIComponent(repository);
      return redirect(
        call,
        `https://${call.apiHost}/api/v4/projects/${project}/packages/generic/${tag}/${name}`,
      );
    },
  ],
  [
    /^\/api\/v4\/projects\/([^/]+)\/packages\/generic\/([^/]+)\/(.+)$/,
    (call, repository, tag, name = "") => file(call, find(call, repository, tag)?.assets?.[name]),
  ],
];

const STORAGE: Route[] = [
  [
    /^\/([^/]+\/[^/]+)\/legacy\.tar\.gz\/([0-9a-f]+)\?token=signed$/,
    (call, repository, commit) => file(call, find(call, repository, commit)?.archive),
  ],
  [
    /^\/([^/]+\/[^/]+)\/assets\/([^/]+)\/(.+)\?signature=signed$/,
    (call, repository, tag, name = "") => file(call, find(call, repository, tag)?.assets?.[name]),
  ],
];

export function answerApi(call: Call): unknown {
  const { path, gitRoot, request, response } = call;
  if (gitRoot !== undefined && /^\/[\w./-]+\.git\//.test(path)) {
    if (call.allowed) return serveGit(request, response, { root: gitRoot, path });
    return response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
  }
  // Both hide what exists from those who may not see it.
  return call.allowed ? route(call, [...GITHUB, ...GITLAB]) : notFound(call);
}

export function answerStorage(call: Call): unknown {
  return route(call, STORAGE);
}

function route(call: Call, routes: readonly Route[]): unknown {
  for (const [pattern, answer] of routes) {
    const parts = pattern.exec(call.path);
    if (parts !== null) return answer(call, ...parts.slice(1).map(decodeURIComponent));
  }
  return notFound(call);
}

function find({ releases }: Call, repository?: string, ref?: string): HostedRelease | undefined {
  return releases.find(
    (release) => release.repository === repository && (release.tag === ref || release.commit === ref),
  );
}

function file({ request, response, trouble }: Call, content: string | Uint8Array | undefined): unknown {
  if (content === undefined) return notFound({ response });
  return serveFile(request, response, {
    content: Buffer.from(content as string),
    type: "application/x-gzip",
    trouble,
  });
}

function redirect({ response }: Call, location: string): void {
  response.writeHead(302, { location, "content-type": "text/html" }).end("<html>moved</html>");
}

function json({ response }: Pick<Call, "response">, content: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(content));
}

function notFound(call: Pick<Call, "response">): void {
  json(call, { message: "Not Found" }, 404);
}
