/** A package will never be installed; the server is told `CODE: text`. */
export class OtaFailure extends Error {
  override readonly name: string = "OtaFailure";
  /** In capitals, as `CHECKSUM_MISMATCH`. */
  readonly code: string;

  constructor(code: string, text: string, options?: ErrorOptions) {
    super(text, options);
    this.code = code;
  }

  /** As the server's page shows it. */
  get told(): string {
    return `${this.code}: ${this.message}`;
  }
}

/** It cannot be gone on with now; tried again at the next connect. */
export class OtaDeferral extends OtaFailure {
  override readonly name: string = "OtaDeferral";
}
