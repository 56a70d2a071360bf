import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { answerApi, answerStorage, type HostedRelease } from "./routes.ts";
import type { Trouble } from "./serve-file.ts";

/** A request that has come. */
export interface RecordedRequest {
  /** Which of the two hosts has got it. */
  host: "api" | "storage";
  method: string;
  /** Path and query. */
  path: string;
  /** Of the part that was asked for. */
  range: string | undefined;
  /** Whether it carried the token, anywhere. */
  hasToken: boolean;
}

export interface ReleaseServerOptions {
  /** PEM files, valid for `localhost` and `127.0.0.1`: see `createTestAuthority` of `@ivy/messaging/testing`. */
  certificate: { certFile: string; keyFile: string };
  /** Without it nothing is shown. */
  token?: string;
  /** A folder with bare repositories, like `orgname/reponame.git`, which git can clone from. */
  gitRoot?: string;
}

/** Two hosts on this machine that behave as GitHub, GitLab and their storage do. */
export interface ReleaseServer extends AsyncDisposable {
  /** For `updater.provider_host`. */
  readonly host: string;
  /** Where GitHub's redirects lead, `host:port`; the token has no business there. */
  readonly storageHost: string;
  readonly releases: HostedRelease[];
  readonly requests: RecordedRequest[];
  /** Says what goes wrong with a request; nothing does if it returns undefined. */
  trouble: (request: RecordedRequest) => Trouble | undefined;
}

/** Starts it on free ports of the loopback interface. */
export async function startReleaseServer(options: ReleaseServerOptions): Promise<ReleaseServer> {
  const tls = {
    cert: readFileSync(options.certificate.certFile),
    key: readFileSync(options.certificate.keyFile),
  };
  const releases: HostedRelease[] = [];
  const requests: RecordedRequest[] = [];
  const answerAs =
    (host: RecordedRequest["host"]) => (request: IncomingMessage, response: ServerResponse) => {
      const { method = "", url: path = "" } = request;
      const recorded = {
        host,
        method,
        path,
        range: request.headers.range,
        hasToken: hasToken(request, options.token),
      };
      requests.push(recorded);
      const trouble = running.trouble(recorded);
      if (trouble?.status !== undefined) {
        response.writeHead(trouble.status, trouble.headers ?? { "content-type": "text/html" });
        response.end(trouble.body ?? "<!doctype html>");
        return;
      }
      const allowed = options.token === undefined || recorded.hasToken;
      const { storageHost, host: apiHost } = running;
      const call = {
        request,
        response,
        path,
        trouble,
        allowed,
        releases,
        apiHost,
        storageHost,
        gitRoot: options.gitRoot,
      };
      setTimeout(() => void (host === "api" ? answerApi(call) : answerStorage(call)), trouble?.delayMs ?? 0);
    };
  const api = createServer(tls, answerAs("api"));
  const storage = createServer(tls, answerAs("storage"));
  const running: ReleaseServer = {
    host: `localhost:${await listen(api)}`,
    storageHost: `127.0.0.1:${await listen(storage)}`,
    releases,
    requests,
    trouble: () => undefined,
    async [Symbol.asyncDispose]() {
      for (const server of [api, storage]) {
        server.closeAllConnections();
        await new Promise((closed) => server.close(closed));
      }
    },
  };
  return running;
}

function hasToken({ headers, url = "" }: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return false;
  const basic = /^Basic (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
  const said = [url, ...Object.values(headers).map(String), Buffer.from(basic, "base64").toString()];
  return said.some((text) => text.includes(token));
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return (server.address() as AddressInfo).port;
}
