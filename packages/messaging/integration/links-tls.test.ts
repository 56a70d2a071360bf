import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BrokerConnection } from "../src/forwarder.ts";
import {
  type CertificateOptions,
  createTestAuthority,
  hasMosquitto,
  type TestAuthority,
} from "../src/testing.ts";
import { createAgent, number, temporary, valuesOf } from "../test/support.ts";
import { broker, startForwarding, until } from "./support.ts";

let authority: TestAuthority;
let foreign: TestAuthority;
beforeAll(() => {
  authority = createTestAuthority();
  foreign = createTestAuthority();
});
afterAll(() => {
  authority[Symbol.dispose]();
  foreign[Symbol.dispose]();
});

type Tls = NonNullable<BrokerConnection["tls"]>;

const ca = () => readFileSync(authority.caFile);

/** A certificate for a client, from some authority. */
function clientTls(from: TestAuthority, options: CertificateOptions = {}): Tls {
  const { certFile, keyFile } = from.issue("client", options);
  return { ca: ca(), cert: readFileSync(certFile), key: readFileSync(keyFile) };
}

interface Setup {
  server?: CertificateOptions;
  wantsClientCertificate?: boolean;
  /** What the forwarder connects with; TLS is left out if null. */
  tls: Tls | null;
}

/** Forwards one message to a broker that speaks TLS. */
async function forwardOne({ server = {}, wantsClientCertificate = false, tls }: Setup) {
  const files = authority.issue("server", server);
  const clientCaFile = wantsClientCertificate ? { clientCaFile: authority.caFile } : {};
  const { host, port } = await broker({ tls: { ...files, ...clientCaFile } });
  const agent = createAgent(temporary());
  await agent.addMessage(number(0));
  const { logger } = startForwarding(agent, port, {
    broker: { host, port, clientId: "forwarder", ...(tls && { tls }) },
  });
  const left = () => valuesOf(agent.getNLatestMessages(10));
  /** Waits for the first warning; the message must still be there. */
  const untilRefused = async (
    message: RegExp,
    details = /^IVY_BROKER_CERTIFICATE; next attempt in [1-6]\d\.\d s$/,
  ) => {
    await until(() => expect(logger.warning).toHaveBeenCalled());
    expect(logger.warning.mock.calls).toEqual([
      [expect.stringMatching(message), expect.stringMatching(details)],
    ]);
    expect(left()).toEqual([0]);
  };
  return { untilDelivered: () => until(() => expect(left()).toEqual([])), untilRefused };
}

describe.skipIf(!hasMosquitto)("TLS to a broker (needs mosquitto)", () => {
  it("works with an authority of one's own", async () => {
    const { untilDelivered } = await forwardOne({ tls: { ca: ca() } });
    await untilDelivered();
  });

  it("works with a client certificate", async () => {
    const { untilDelivered } = await forwardOne({ wantsClientCertificate: true, tls: clientTls(authority) });
    await untilDelivered();
  });

  const problems: [string, () => Setup, RegExp][] = [
    ["an authority that is not known", () => ({ tls: {} }), /not from an authority in `tls.ca`/],
    [
      "an expired certificate",
      () => ({ server: { expired: true }, tls: { ca: ca() } }),
      /the broker's certificate has expired, or this machine's clock is wrong/,
    ],
    [
      "a certificate for another host",
      () => ({ server: { hosts: ["DNS:elsewhere"] }, tls: { ca: ca() } }),
      /for another host: see `host`/,
    ],
    [
      "no client certificate where one is wanted",
      () => ({ wantsClientCertificate: true, tls: { ca: ca() } }),
      /our certificate, or wants one: see `tls.cert`/,
    ],
    [
      "a client certificate of another authority",
      () => ({ wantsClientCertificate: true, tls: clientTls(foreign) }),
      /does not take our certificate.*see `tls.cert`/,
    ],
    [
      "an expired client certificate",
      () => ({ wantsClientCertificate: true, tls: clientTls(authority, { expired: true }) }),
      /our certificate has expired: see `tls.cert`/,
    ],
    [
      "a key that belongs to another certificate",
      () => ({ tls: { ...clientTls(authority), key: clientTls(foreign).key ?? "" } }),
      /our key does not belong to our certificate/,
    ],
    [
      "a file that is no certificate",
      () => ({ tls: { ca: ca(), cert: "garbage", key: "garbage" } }),
      /cannot be read: .* must be PEM/,
    ],
  ];
  it.each(problems)("tells of %s, does not hammer, and keeps the message", async (_, setup, message) => {
    const { untilRefused } = await forwardOne(setup());
    await untilRefused(message);
  });

  it("is missed where it is not spoken", async () => {
    const { untilRefused } = await forwardOne({ tls: null });
    await untilRefused(/perhaps the port speaks TLS/, /^IVY_BROKER_UNREACHABLE; /);
  });
});
