import { createHash, randomUUID } from "node:crypto";

export type PackageKind = "sw" | "fw";

/** A package, as it is assigned to the device. */
export interface PackageAssignment {
  kind: PackageKind;
  title: string;
  version: string;
  tag?: string;
  /** What the server holds; leave it out where a URL says where the package is. */
  data?: Buffer;
  url?: string;
  /** `SHA256` if left out. */
  checksumAlgorithm?: string;
  /** That of the data if left out. */
  checksum?: string;
  /** In bytes; that of the data if left out. */
  size?: number;
}

/** A request for a chunk, as it came. */
export interface ChunkRequest {
  kind: PackageKind;
  requestId: string;
  chunk: number;
  /** In bytes; 0 asks for the whole package. */
  size: number;
  /** Which connection of the device it came over, counted from 0. */
  connection: number;
}

/**
 * What happens to the answer to a request for a chunk: it is lost, comes twice, comes after the next one, or is empty
 * because the package has left the server's cache.
 */
export type ChunkFault = "lose" | "twice" | "late" | "empty";

interface HeldPackage {
  id: string;
  assignment: PackageAssignment;
}

/** The packages that the server holds, and hands out in chunks. */
export class Packages {
  readonly requests: ChunkRequest[] = [];
  readonly #assigned = new Map<PackageKind, HeldPackage>();

  assign(assignment: PackageAssignment): void {
    this.#assigned.set(assignment.kind, { id: randomUUID(), assignment });
  }

  unassign(kind: PackageKind): void {
    this.#assigned.delete(kind);
  }

  find(kind: PackageKind): HeldPackage | undefined {
    return this.#assigned.get(kind);
  }
}

/** What the shared attributes say about a package. */
export function packageAttributes(assignment: PackageAssignment): Record<string, unknown> {
  const { kind, title, version, tag, data, url, checksumAlgorithm = "SHA256" } = assignment;
  const checksum = assignment.checksum ?? digest(checksumAlgorithm, data);
  const size = assignment.size ?? data?.length;
  const said = data === undefined ? {} : { size, checksum_algorithm: checksumAlgorithm, checksum };
  const all = { title, version, tag, ...said, url };
  const present = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present.map(([name, value]) => [`${kind}_${name}`, value]));
}

/** The attributes that a kind of package can have. */
export function packageKeys(kind: PackageKind): string[] {
  const names = ["title", "version", "tag", "size", "checksum_algorithm", "checksum", "url"];
  return names.map((name) => `${kind}_${name}`);
}

/** How the packages are handed out over one connection, which binds a package to the number of a request. */
export class ChunkSource {
  readonly #packages: Packages;
  readonly #bound = new Map<string, HeldPackage>();
  readonly #sizes = new Map<string, number>();
  readonly #expired = new Set<string>();

  constructor(packages: Packages) {
    this.#packages = packages;
  }

  /** The server's cache forgets the packages; those that are bound are not loaded again. */
  expire(): void {
    for (const requestId of this.#bound.keys()) this.#expired.add(requestId);
  }

  /** The size that holds for a request: it may be told once for all that follow. */
  sizeFor(requestId: string, told: number): number {
    if (told > 0) this.#sizes.set(requestId, told);
    return this.#sizes.get(requestId) ?? 0;
  }

  /** The chunk, or what the server says on its topic for errors before it closes the connection. */
  read({ kind, requestId, chunk, size }: ChunkRequest): Buffer | "NOT_FOUND" | "FAILURE" {
    const held = this.#bound.get(requestId) ?? this.#packages.find(kind);
    if (held === undefined) return "NOT_FOUND";
    const { data } = held.assignment;
    if (data === undefined) return "FAILURE";
    this.#bound.set(requestId, held);
    if (this.#expired.has(requestId)) return Buffer.alloc(0);
    return size === 0 ? data : data.subarray(chunk * size, (chunk + 1) * size);
  }
}

function digest(algorithm: string, data: Buffer | undefined): string | undefined {
  const names: Record<string, string> = { MD5: "md5", SHA256: "sha256", SHA384: "sha384", SHA512: "sha512" };
  const name = names[algorithm];
  return data === undefined || name === undefined ? undefined : createHash(name).update(data).digest("hex");
}
