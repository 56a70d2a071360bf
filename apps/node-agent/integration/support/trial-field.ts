import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startMosquitto, startTentaServer } from "@ivy/backends/testing";
import { readPointer } from "@ivy/updater";
import { configFor, PASSWORD, SENSOR } from "./config.ts";
import type { AnyConfig } from "./deployed-node.ts";
import type { RootNode } from "./root-node.ts";

/** Registers what is to be done at the end of a test. */
export type OnTestFinished = (done: () => void | PromiseLike<void>) => void;

/** A section `updater` whose trials are as short as may be. */
const UPDATER = {
  repository: "org/repo",
  provider: "github",
  provider_host: "github.com",
  spread_seconds: 0,
  trial_seconds: 30,
  config_trial_seconds: 15,
};

/** A broker and a server behind it, and a configuration for both, for version 1.2.3. */
export async function setUpField(onTestFinished: OnTestFinished) {
  const user = { username: SENSOR, password: PASSWORD };
  const broker = await startMosquitto({ user });
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const server = await startTentaServer({ broker: { host: broker.host, port: broker.port, ...user } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const base = configFor(broker);
  const general = { ...base.general, software_version: "1.2.3" };
  const config: AnyConfig = { ...base, updater: UPDATER, general };
  return {
    broker,
    server,
    config,
    updater: UPDATER,
    /** How the server was told about a revision, each time that it was. */
    answers: (revision: number) =>
      server.arrivals.flatMap(({ element }) =>
        "success" in element && element.revision === revision ? [element.success] : [],
      ),
    /** Seconds from one data point of the dummy procedure to the next, over all that were ever measured. */
    gaps: (node: RootNode): number[] => gapsOf(node).map(({ seconds }) => seconds),
    /** The longest of these since the last one of another revision than this. */
    longestGap: (node: RootNode, revision: number): number =>
      Math.max(...gapsOf(node).flatMap((gap) => (gap.revision === revision ? [gap.seconds] : []))),
  };
}

/** Each with the revision under which the later of the two data points was measured. */
function gapsOf(node: RootNode): { seconds: number; revision: number | undefined }[] {
  const points = node
    .archive()
    .filter(({ message_body: body }) => body.variant === "data" && "random_walk_a_position" in body.data);
  return points.slice(1).map(({ timestamp, revision }, index) => ({
    seconds: timestamp - (points[index]?.timestamp ?? timestamp),
    revision,
  }));
}

/** The configuration in force on a node. */
export function inForce({ paths }: RootNode): AnyConfig {
  return JSON.parse(readFileSync(join(paths.active, "config.json"), "utf8"));
}

/** Whether no trial runs. */
export function isSteady({ paths }: RootNode): boolean {
  return readPointer(paths, "active") === readPointer(paths, "lastGood");
}
