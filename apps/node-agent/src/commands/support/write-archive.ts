import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { create } from "tar";
import { NAME } from "../../constants.ts";
import { examine } from "../../doctor/examine.ts";
import { collectParts } from "../../support/collect.ts";
import { thisNode } from "../doctor/this-node.ts";
import { say, sayJson } from "../say.ts";

export interface ArchiveOptions {
  output?: string;
  json?: boolean;
}

export async function writeArchive({ output, json }: ArchiveOptions): Promise<void> {
  const patient = await thisNode();
  const parts = await collectParts(patient, await examine(patient));
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "");
  const folder = `${NAME}-support-${stamp}`;
  const file = resolve(output ?? `${folder}.tar.gz`);
  await pack(file, folder, parts);

  const names = Object.keys(parts);
  if (json) sayJson({ file, bytes: statSync(file).size, parts: names });
  else
    say(
      `${file} has ${statSync(file).size} bytes, with ${names.join(", ")}. Look into it before you pass it on`,
    );
  // A check that hangs must not keep the command from ending.
  process.exit();
}

async function pack(file: string, folder: string, parts: Record<string, string>): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "ivy-support-"));
  try {
    mkdirSync(join(scratch, folder));
    for (const [name, text] of Object.entries(parts)) writeFileSync(join(scratch, folder, name), text);
    // Made first, so that nobody else can read it at any time.
    writeFileSync(file, "", { mode: 0o600 });
    await create({ gzip: true, file, cwd: scratch, portable: true }, [folder]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
