import { REDACTED, redactText, spellingsOf } from "@ivy/types";

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs;

/** Name and password in an address: `mqtt://name:password@host`. */
const CREDENTIALS_IN_URL = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi;

/** Strikes secrets out of texts, however they are written there, and what looks like one. */
export function scrubber(secrets: readonly string[]): (text: string) => string {
  const written = spellingsOf(secrets);
  return (text) =>
    redactText(text, written)
      .replaceAll(PRIVATE_KEY, REDACTED)
      .replaceAll(CREDENTIALS_IN_URL, `$1${REDACTED}@`);
}
