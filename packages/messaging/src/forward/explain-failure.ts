import type { BrokerConnection } from "./broker.ts";
import {
  BrokerUnreachableError,
  CertificateError,
  ConnectionLostError,
  ConnectionRefusedError,
} from "./connection-error.ts";

/** Codes of a loss that is not the other side's doing. */
const NETWORK_FAILURES = new Set(["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EADDRNOTAVAIL"]);

/** @param failure - what the socket or MQTT.js has told, if anything */
export function explainLoss(failure: Error | undefined): ConnectionLostError {
  if (failure === undefined)
    return new ConnectionLostError("the broker has closed it", { byOtherSide: true });
  const code = codeOf(failure);
  const byOtherSide = typeof code === "string" && !NETWORK_FAILURES.has(code);
  return new ConnectionLostError(reasonOf(failure), { byOtherSide, cause: failure });
}

/**
 * Why no connection came about.
 *
 * @param failure - what the socket or MQTT.js has told; nothing where the broker just closed the connection
 */
export function explainFailure(failure: Error | undefined, broker: BrokerConnection): Error {
  const where = `${broker.host}:${broker.port}`;
  const reason = failure === undefined ? "it closed the connection at once" : reasonOf(failure);
  const options = { cause: failure };
  const code = codeOf(failure);
  const refusal = typeof code === "number" ? REFUSALS[code] : undefined;
  if (refusal !== undefined)
    return new ConnectionRefusedError(`The broker ${where} refuses us: ${refusal}`, options);
  const problem = CERTIFICATES.find(([pattern]) => pattern.test(String(code)))?.[1];
  if (problem !== undefined) {
    const text = `The TLS connection to the broker ${where} fails: ${problem} (${reason})`;
    return new CertificateError(text, options);
  }
  const text = `The broker ${where} cannot be reached: ${reason}${adviceOn(failure, broker)}`;
  return new BrokerUnreachableError(text, options);
}

/** What has happened, in one line. */
function reasonOf(failure: Error): string {
  // OpenSSL's words; its message holds addresses in memory and places in its source.
  if ("reason" in failure && typeof failure.reason === "string") return failure.reason;
  // MQTT.js's words for silence.
  if (failure.message === "connack timeout") return "it does not answer";
  if (failure.message === "Keepalive timeout") return "the broker no longer answers";
  // Where several addresses were tried, there is a code but no message.
  return failure.message || String(codeOf(failure) ?? failure.name);
}

function codeOf(error: Error | undefined): unknown {
  return error !== undefined && "code" in error ? error.code : undefined;
}

/** CONNACK codes of MQTT 3.1.1 that trying again soon will not change. */
const REFUSALS: Record<number, string> = {
  1: "it does not speak MQTT 3.1.1",
  2: "it does not accept the client id",
  4: "user name or password are wrong",
  5: "this client is not authorised",
};

/** What to look at, by the codes of OpenSSL and Node. */
const CERTIFICATES: readonly (readonly [RegExp, string])[] = [
  [/^CERT_HAS_EXPIRED$/, "the broker's certificate has expired, or this machine's clock is wrong"],
  [/^CERT_NOT_YET_VALID$/, "the broker's certificate is not valid yet, or this machine's clock is wrong"],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, "the broker's certificate is for another host: see `host`"],
  [/^CERT_|^UNABLE_TO_|SELF_SIGNED_CERT/, "the broker's certificate is not from an authority in `tls.ca`"],
  [/^ERR_SSL_\S*ALERT_CERTIFICATE_EXPIRED$/, "our certificate has expired: see `tls.cert`"],
  [
    /^ERR_SSL_\S*ALERT_(\w*CERT|UNKNOWN_CA|ACCESS|HANDSHAKE)/,
    "the broker does not take our certificate, or wants one: see `tls.cert`",
  ],
  [
    /^ERR_OSSL_X509_KEY_VALUES_MISMATCH$/,
    "our key does not belong to our certificate: see `tls.key` and `tls.cert`",
  ],
  [/^ERR_OSSL_/, "a certificate or key cannot be read: `tls.ca`, `tls.cert` and `tls.key` must be PEM"],
];

function adviceOn(failure: Error | undefined, { tls }: BrokerConnection): string {
  const code = codeOf(failure);
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "; the name is wrong, or there is no DNS (yet)";
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG")
    return "; the port does not speak TLS";
  if (failure !== undefined && code !== "ECONNRESET") return "";
  if (tls === undefined) return "; perhaps the port speaks TLS, and `tls` is not given";
  return "; perhaps it does not take our certificate, or wants one: see `tls.cert`";
}
