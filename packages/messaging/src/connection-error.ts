import type { BrokerConnection } from "./broker-connection.ts";

/** The broker cannot be reached, or is not one. */
export class BrokerUnreachableError extends Error {
  readonly code = "IVY_BROKER_UNREACHABLE";
  override readonly name = "BrokerUnreachableError";
}

/** The broker has closed the door on purpose: wrong name or password, or not allowed. */
export class ConnectionRefusedError extends Error {
  readonly code = "IVY_BROKER_REFUSED";
  override readonly name = "ConnectionRefusedError";
}

/** A certificate is missing, wrong or expired: that of the broker, or ours. */
export class CertificateError extends Error {
  readonly code = "IVY_BROKER_CERTIFICATE";
  override readonly name = "CertificateError";
}

/** The broker does not let us subscribe to a topic. */
export class SubscriptionRefusedError extends Error {
  readonly code = "IVY_SUBSCRIPTION_REFUSED";
  override readonly name = "SubscriptionRefusedError";
}

/** A connection that stood has ended. */
export class ConnectionLostError extends Error {
  readonly code = "IVY_CONNECTION_LOST";
  override readonly name = "ConnectionLostError";
  /** The other side has closed it, as far as can be seen from here. */
  readonly byOtherSide: boolean;

  constructor(reason: string, options: { byOtherSide: boolean; cause?: unknown }) {
    super(`The connection to the broker is lost: ${reason}`, { cause: options.cause });
    this.byOtherSide = options.byOtherSide;
  }
}

/** Whether trying again soon will not help: somebody has to change something first. */
export function isRefusal(error: Error): boolean {
  return (
    error instanceof ConnectionRefusedError ||
    error instanceof CertificateError ||
    error instanceof SubscriptionRefusedError
  );
}

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

/** Why no connection came about. */
export function explainFailure(failure: Error | undefined, broker: BrokerConnection): Error {
  const where = `${broker.host}:${broker.port}`;
  const options = { cause: failure };
  const code = failure && codeOf(failure);
  if (typeof code === "number" && REFUSALS[code] !== undefined)
    return new ConnectionRefusedError(`The broker ${where} refuses us: ${REFUSALS[code]}`, options);
  if (typeof code === "string") {
    const advice = CERTIFICATES.find(([pattern]) => pattern.test(code))?.[1];
    if (advice !== undefined) {
      const text = `The TLS connection to the broker ${where} fails: ${advice} (${failure?.message})`;
      return new CertificateError(text, options);
    }
  }
  const reason = failure === undefined ? "it closed the connection at once" : reasonOf(failure);
  const advice = adviceOn(code, broker);
  return new BrokerUnreachableError(`The broker ${where} cannot be reached: ${reason}${advice}`, options);
}

/** MQTT.js's words for silence, in ours; where several addresses were tried, there is a code but no message. */
function reasonOf(failure: Error): string {
  if (failure.message === "connack timeout") return "it does not answer";
  if (failure.message === "Keepalive timeout") return "the broker no longer answers";
  return failure.message || String(codeOf(failure) ?? failure.name);
}

function codeOf(error: Error): unknown {
  return "code" in error ? error.code : undefined;
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
  [/^ERR_SSL_\w*ALERT_CERTIFICATE_EXPIRED$/, "our certificate has expired: see `tls.cert`"],
  [
    /^ERR_SSL_\w*ALERT_(\w*CERT|UNKNOWN_CA|ACCESS|HANDSHAKE)/,
    "the broker does not take our certificate, or wants one: see `tls.cert`",
  ],
  [
    /^ERR_OSSL_X509_KEY_VALUES_MISMATCH$/,
    "our key does not belong to our certificate: see `tls.key` and `tls.cert`",
  ],
  [/^ERR_OSSL_/, "a certificate or key cannot be read: `tls.ca`, `tls.cert` and `tls.key` must be PEM"],
];

function adviceOn(code: unknown, { tls }: BrokerConnection): string {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "; the name is wrong, or there is no DNS (yet)";
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG")
    return "; the port does not speak TLS";
  if (code === "ECONNRESET" && tls === undefined)
    return "; perhaps the port speaks TLS, and `tls` is not given";
  return "";
}
