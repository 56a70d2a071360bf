import { createHash } from "node:crypto";
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { isCode } from "@ivy/files";
import { UpdateRejectedError } from "../errors.ts";

/** A version's list of its files, one a line, in a form that the launcher reads with `sed`. */
export const MANIFEST = ".ivy-manifest";
export const SEAL = ".ivy-seal.json";

const CHUNK_BYTES = 65_536;

export interface Manifest {
  text: string;
  sha256: string;
  files: number;
  bytes: number;
}

/**
 * Lists every file (`f SHA256 SIZE PATH`) and link (`l TARGET<tab>PATH`) of a tree.
 *
 * @throws UpdateRejectedError for what cannot be in a version: a file that shares its content with another place, a
 *   device, a name with a line break, a tab or a backslash
 */
export async function makeManifest(folder: string): Promise<Manifest> {
  const lines: string[] = [];
  const total = { files: 0, bytes: 0 };
  for (const path of pathsBelow(folder)) {
    const file = join(folder, path);
    const stats = lstatSync(file);
    if (stats.isSymbolicLink()) {
      lines.push(`l ${inOneLine(readlinkSync(file), path)}\t${inOneLine(path)}`);
    } else {
      if (!stats.isFile())
        throw unusable("IVY_SPECIAL_FILE", `${path} is neither a file, a folder nor a link`);
      if (stats.nlink !== 1)
        throw unusable(
          "IVY_SHARED_FILE",
          `${path} has ${stats.nlink} names: a change elsewhere would change it`,
        );
      lines.push(`f ${sha256Of(file)} ${stats.size} ${inOneLine(path)}`);
      total.files += 1;
      total.bytes += stats.size;
      // Signals and other work have their turn between two files.
      await breathe();
    }
  }
  const text = lines.map((line) => `${line}\n`).join("");
  return { text, sha256: createHash("sha256").update(text).digest("hex"), ...total };
}

/** @returns the first line of a manifest that a tree does not fulfil, and how */
export function firstMismatch(
  folder: string,
  manifest: string,
  how: "sizes" | "content",
): string | undefined {
  for (const line of manifest.split("\n").filter(Boolean)) {
    const problem = line.startsWith("l ") ? linkProblem(folder, line) : fileProblem(folder, line, how);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function linkProblem(folder: string, line: string): string | undefined {
  const [target, path = ""] = line.slice(2).split("\t");
  return linkTarget(join(folder, path)) === target ? undefined : `${path} is no link to ${target} any more`;
}

function fileProblem(folder: string, line: string, how: "sizes" | "content"): string | undefined {
  const [, sha256, size, path] = /^f ([0-9a-f]{64}) (\d+) (.+)$/.exec(line) ?? [];
  if (path === undefined) return `the manifest has a line that cannot be read: ${line.slice(0, 100)}`;
  const file = join(folder, path);
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() !== true) return `${path} is missing`;
  if (stats.size !== Number(size)) return `${path} has ${stats.size} bytes instead of ${size}`;
  if (how === "content" && sha256Of(file) !== sha256) return `${path} has another content`;
  return undefined;
}

function* pathsBelow(folder: string, below = ""): Generator<string> {
  const entries = readdirSync(join(folder, below), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* pathsBelow(folder, path);
    else if (path !== MANIFEST && path !== SEAL) yield path;
  }
}

function linkTarget(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch (error) {
    if (isCode(error, "ENOENT", "EINVAL", "ENOTDIR")) return undefined;
    throw error;
  }
}

function sha256Of(file: string): string {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const descriptor = openSync(file, "r");
  try {
    for (let length = readSync(descriptor, chunk); length > 0; length = readSync(descriptor, chunk)) {
      hash.update(chunk.subarray(0, length));
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest("hex");
}

function inOneLine(name: string, of = name): string {
  if (/[\n\r\t\\]/.test(name))
    throw unusable(
      "IVY_UNUSABLE_NAME",
      `${JSON.stringify(of)} has a line break, a tab or a backslash in a name`,
    );
  return name;
}

function unusable(code: string, message: string): UpdateRejectedError {
  return new UpdateRejectedError("seal", code, message);
}

/** Reads a manifest; `undefined` where it is missing or not the one that was sealed. */
export function readManifest(folder: string, sha256: string): string | undefined {
  try {
    const text = readFileSync(join(folder, MANIFEST));
    return createHash("sha256").update(text).digest("hex") === sha256 ? text.toString() : undefined;
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
