import { lstatSync, rmSync } from "node:fs";
import type { RequestListener } from "node:http";
import { resolve } from "node:path";
import { CONTENT_TYPE } from "./open-metrics.ts";

export interface MetricsServerOptions {
  /** A loopback address with a port, or `unix:` and a path, as the configuration has it. */
  listen: string;
  /** What the path of a socket is relative to. */
  dataDir: string;
  /** The metrics as text. */
  read: () => Promise<string>;
  /** Told what goes wrong; the agent does without then. */
  warn: (text: string) => void;
}

/** Serves metrics at `/metrics`; resolves once it does, or cannot. What that takes is loaded only now. */
export async function serveMetrics({
  listen,
  dataDir,
  read,
  warn,
}: MetricsServerOptions): Promise<Disposable> {
  const { createServer } = await import("node:http");
  const answer: RequestListener = async (request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end("The metrics are at /metrics\n");
      return;
    }
    try {
      const text = await read();
      response.writeHead(200, { "Content-Type": CONTENT_TYPE }).end(text);
    } catch (error) {
      warn(`The metrics could not be read: ${(error as Error).message}`);
      response.writeHead(500).end();
    }
  };
  const server = createServer(answer);
  const failed = (error: Error) => warn(`Metrics cannot be served at ${listen}: ${error.message}`);
  await new Promise<void>((begun) => {
    server.on("error", (error) => {
      failed(error);
      begun();
    });
    try {
      server.listen(placeOf(listen, dataDir), begun).unref();
    } catch (error) {
      failed(error as Error);
      begun();
    }
  });
  return {
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function placeOf(listen: string, dataDir: string): { path: string } | { host: string; port: number } {
  const UNIX = "unix:";
  if (listen.startsWith(UNIX)) {
    const path = resolve(dataDir, listen.slice(UNIX.length));
    // Of an agent that was killed; nobody else listens there, for there is one agent at a time.
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path);
    return { path };
  }
  const colon = listen.lastIndexOf(":");
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(listen.slice(colon + 1)) };
}
