import { REDACTED } from "@ivy/types";

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs;

/** Name and password in an address: `mqtt://name:password@host`. */
const CREDENTIALS_IN_URL = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi;

/** Strikes secrets out of texts, however they are written there, and what looks like one. */
export function scrubber(secrets: readonly string[]): (text: string) => string {
  const written = [...new Set(secrets.flatMap(spellings))].sort((a, b) => b.length - a.length);
  return (text) =>
    written
      .reduce((shown, secret) => shown.replaceAll(secret, REDACTED), text)
      .replaceAll(PRIVATE_KEY, REDACTED)
      .replaceAll(CREDENTIALS_IN_URL, `$1${REDACTED}@`);
}

/** As it is, in JSON, in JSON within JSON, in an address, in Base64. */
function spellings(secret: string): string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    inJson,
    JSON.stringify(inJson).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    Buffer.from(secret).toString("base64"),
  ];
}
