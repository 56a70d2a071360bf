import { configDigest } from "@ivy/types";
import * as z from "zod/mini";
import { PACKAGE_KINDS, type PackageKind } from "../topics.ts";
import { OtaFailure } from "./ota-failure.ts";

/** What the server says about a package that it has assigned, behind the prefix of its kind. */
const PARTS = ["title", "version", "tag", "size", "checksum_algorithm", "checksum", "url"] as const;

/** The shared attributes that tell the assigned packages. */
export const PACKAGE_ATTRIBUTES = PACKAGE_KINDS.flatMap((kind) => PARTS.map((part) => `${kind}_${part}`));

/** A package that the server has assigned, as it says. */
export interface Target {
  kind: PackageKind;
  /** Tells this assignment from others: SHA-256 of all that the server says about it. */
  digest: string;
  said: Partial<Record<(typeof PARTS)[number], unknown>>;
}

/** A package that the server holds, in chunks. */
export interface Upload {
  /** In bytes. */
  size: number;
  algorithm: "sha256" | "sha384" | "sha512";
  /** Hexadecimal, in lower case, of the right length for the algorithm: safe as a name of a file. */
  checksum: string;
}

/** What can be done about a target. */
export interface Assignment {
  title: string;
  version: string;
  tag?: string;
  /** The server holds it, or names a place where it can be had. */
  source: { url: string } | { upload: Upload };
}

const Text = z.string().check(z.minLength(1), z.maxLength(512));
const Named = z.object({ title: Text, version: Text, tag: z.optional(Text), url: z.optional(Text) });
const Uploaded = z.object({
  size: z.int().check(z.minimum(1)),
  checksum_algorithm: z.string(),
  checksum: z.string(),
});

/** Checksums that nobody can forge, with their lengths in hexadecimal digits. */
const STRONG = { SHA256: 64, SHA384: 96, SHA512: 128 };

/** The package of a kind that attributes tell of; nothing if there is none. */
export function readTarget(kind: PackageKind, attributes: Record<string, unknown>): Target | undefined {
  const said = Object.fromEntries(
    PARTS.map((part) => [part, attributes[`${kind}_${part}`]]).filter(([, value]) => value !== undefined),
  );
  if (said["title"] === undefined && said["version"] === undefined) return undefined;
  return { kind, said, digest: configDigest(said) };
}

/** @throws OtaFailure where it lacks something, or its checksum can be forged */
export function readAssignment({ said }: Target): Assignment {
  const named = Named.safeParse(said).data;
  if (named === undefined)
    throw new OtaFailure("PACKAGE_UNREADABLE", "title and version of the package were expected as texts");
  const { title, version, tag, url } = named;
  const source = url === undefined ? { upload: readUpload(said) } : { url };
  return { title, version, ...(tag === undefined ? {} : { tag }), source };
}

function readUpload(said: Target["said"]): Upload {
  const uploaded = Uploaded.safeParse(said).data;
  if (uploaded === undefined)
    throw new OtaFailure("PACKAGE_UNREADABLE", "size, checksum and its algorithm were expected, or a URL");
  const digits = STRONG[uploaded.checksum_algorithm as keyof typeof STRONG];
  if (digits === undefined) {
    const known = Object.keys(STRONG).join(", ");
    throw new OtaFailure("CHECKSUM_WEAK", `${uploaded.checksum_algorithm} proves nothing; use ${known}`);
  }
  const checksum = uploaded.checksum.toLowerCase();
  if (checksum.length !== digits || !/^[0-9a-f]+$/.test(checksum))
    throw new OtaFailure("CHECKSUM_UNREADABLE", `${digits} hexadecimal digits were expected`);
  const algorithm = uploaded.checksum_algorithm.toLowerCase() as Upload["algorithm"];
  return { size: uploaded.size, algorithm, checksum };
}
