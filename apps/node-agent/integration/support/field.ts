import { hasMosquitto, startMosquitto, startTentaServer } from "@ivy/backends/testing";
import { describe, onTestFinished } from "vitest";
import { configFor, PASSWORD, SENSOR } from "./config.ts";
import { deployNode } from "./deployed-node.ts";

/** Suites that need a real broker say so in their name, and are left out where there is none. */
export const describeWithBroker = (name: string, suite: () => void) =>
  describe.skipIf(!hasMosquitto)(`${name} (needs mosquitto)`, suite);

/** A broker with a user, a server behind it, and a node that is configured for both. */
export async function setUpField() {
  const user = { username: SENSOR, password: PASSWORD };
  const broker = await startMosquitto({ user });
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const server = await startTentaServer({ broker: { host: broker.host, port: broker.port, ...user } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const config = configFor(broker);
  return { broker, server, config, node: deployNode(config) };
}
