import { writeFileSync } from "node:fs";
import { isCode } from "@ivy/files";
import { makeKey } from "@ivy/updater";
import { say } from "../say.ts";

export function keygen({ output }: { output: string }): void {
  const { publicKey, secretKey } = makeKey();
  writeNew(`${output}.key`, secretKey, 0o600);
  writeNew(`${output}.pub`, publicKey, 0o644);
  say(`The secret key is in ${output}.key: keep it, and keep it secret`);
  say(`The public key is in ${output}.pub; for the nodes that shall trust it, put into their configuration:`);
  say(`"updater": { "trusted_keys": ["${publicKey.trimEnd().split("\n").at(-1)}"], ... }`);
}

function writeNew(file: string, content: string, mode: number): void {
  try {
    writeFileSync(file, content, { flag: "wx", mode });
  } catch (cause) {
    if (!isCode(cause, "EEXIST")) throw cause;
    throw new Error(`${file} exists, and a key that is lost cannot be made again: choose another --output`, {
      cause,
    });
  }
}
