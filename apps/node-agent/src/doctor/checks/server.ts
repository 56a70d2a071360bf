import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { brokerOf } from "@ivy/backends";
import type { BrokerConnection } from "@ivy/messaging/forwarder";
import { type Check, type Finding, failure, ok, type Patient, skipped, warning } from "../check.ts";

const DAY_MS = 86_400_000;

/** A certificate that ends sooner is worth a warning, in milliseconds. */
const SOON_MS = 14 * DAY_MS;

const CONNECT_MS = 6_000;

/** A check that has nothing to look at where nothing is sent. */
function ofBroker(
  name: string,
  look: (broker: BrokerConnection, patient: Patient) => Promise<Finding>,
): Check {
  return {
    name,
    look: async (patient) => {
      const connection = patient.config?.backend?.mqtt_connection;
      if (connection === undefined) return skipped("no backend is configured: nothing is sent");
      return await look(brokerOf(connection, patient.configDir), patient);
    },
  };
}

const name = ofBroker("broker-name", async ({ host }, { system }) => {
  try {
    return ok(`${host} is ${await system.resolve(host)}`);
  } catch (error) {
    return failure(
      `${host} has no address: ${(error as Error).message}`,
      "look for a misspelt backend.mqtt_connection.host, a dead link (`ip addr`), or DNS (/etc/resolv.conf)",
    );
  }
});

const port = ofBroker("broker-port", async ({ host, port }) => {
  try {
    const socket = connect({ host, port, signal: AbortSignal.timeout(CONNECT_MS) });
    await once(socket, "connect");
    socket.destroy();
    return ok(`${host}:${port} can be reached`);
  } catch (error) {
    return failure(
      `${host}:${port} cannot be reached: ${reasonOf(error)}`,
      "start the broker, correct backend.mqtt_connection.port, or open the firewalls in between",
    );
  }
});

const tls = ofBroker("broker-tls", async ({ host, port, tls }, { system }) => {
  if (tls === undefined) return skipped("TLS is not configured: everything goes in clear");
  try {
    const servername = /^[\d.:]+$/.test(host) ? {} : { servername: host };
    const socket = connectTls({ host, port, ...servername, ...tls });
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error("it does not answer")));
    await once(socket, "secureConnect");
    const end = Date.parse(socket.getPeerCertificate().valid_to);
    socket.destroy();
    return validity("the broker's certificate", end, system.now());
  } catch (error) {
    return failure(
      `no TLS with ${host}:${port}: ${reasonOf(error)}`,
      "look at the clock, at tls.ca_file (the authority of the broker), and whether the port speaks TLS",
    );
  }
});

/** Its own, for what is in files can be seen without the broker. */
const certificates: Check = {
  name: "certificates",
  look: ({ config, configDir, system }) => {
    const connection = config?.backend?.mqtt_connection;
    if (connection?.tls === undefined) return skipped("no certificates are configured");
    const mend = "put sound PEM files where backend.mqtt_connection.tls says, relative to the folder config";
    try {
      const { ca, cert, key } = brokerOf(connection, configDir).tls ?? {};
      if (ca !== undefined) new X509Certificate(ca);
      if (cert === undefined) return ok("the files can be read");
      const own = new X509Certificate(cert);
      if (key === undefined) return failure("tls.key_file is missing beside tls.cert_file", mend);
      return validity("our certificate", Date.parse(own.validTo), system.now());
    } catch (error) {
      return failure(
        `a certificate cannot be used: ${(error as Error).message.replaceAll(/\s+/g, " ")}`,
        mend,
      );
    }
  },
};

function validity(whose: string, end: number, now: number): Finding {
  const date = new Date(end).toISOString().slice(0, 10);
  const mend = "have it renewed by its authority";
  if (end < now) return failure(`${whose} has ended on ${date}`, mend);
  return end - now < SOON_MS
    ? warning(`${whose} ends on ${date}`, mend)
    : ok(`${whose} is valid until ${date}`);
}

const login = ofBroker("broker-login", async (broker, { status, tryLogin }) => {
  if (status.link?.connected) return ok("the agent is connected");
  try {
    await tryLogin(broker);
    return ok(`the broker takes ${broker.username ?? "us without a name"}`);
  } catch (error) {
    if (isCode(error, "IVY_CONNECTION_LOST")) return ok("the broker takes us");
    if (isCode(error, "IVY_BROKER_REFUSED"))
      return failure(
        (error as Error).message,
        "correct username and password in backend.mqtt_connection, or add the user at the broker",
      );
    return skipped(`no login was possible: ${(error as Error).message}`);
  }
});

const answer = ofBroker("server-answer", async (broker, { status, tryLogin }) => {
  const acknowledged = status.link?.last_acknowledged_age_seconds ?? null;
  if (status.link?.connected && acknowledged !== null)
    return ok(`the server has acknowledged a message ${Math.round(acknowledged)} s ago`);
  try {
    return ok(`the broker answers within ${Math.round(await tryLogin(broker))} ms`);
  } catch (error) {
    if (!isCode(error, "IVY_CONNECTION_LOST")) return skipped("there was no login");
    return failure(
      (error as Error).message,
      "restart the broker; look at its log and at the load of its machine",
    );
  }
});

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Where several addresses were tried, there is a code but no message. */
function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === "ABORT_ERR") return "it does not answer";
  return message || String(code);
}

export const SERVER_CHECKS = [name, port, tls, certificates, login, answer];
