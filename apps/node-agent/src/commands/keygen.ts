import { writeFileSync } from "node:fs";
import { isCode } from "@ivy/files";
import { makeKey } from "@ivy/updater";
import type { Command } from "commander";
import { say } from "./say.ts";

const EXAMPLE = `
Example:
  $ ivy keygen --output ~/keys/ivy
  writes ~/keys/ivy.key, which signs releases and belongs on no node, and ~/keys/ivy.pub.

The files are those of minisign; the secret key has no password, so keep it where only you can read it.`;

export function addKeygen(program: Command): void {
  program
    .command("keygen")
    .description("Make a pair of keys to sign releases with.")
    .option(
      "--output <name>",
      "where to write NAME.key and NAME.pub; nothing is ever written over",
      "ivy-release",
    )
    .addHelpText("after", EXAMPLE)
    .action(keygen);
}

function keygen({ output }: { output: string }): void {
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
