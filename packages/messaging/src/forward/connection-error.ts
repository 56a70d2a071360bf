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
