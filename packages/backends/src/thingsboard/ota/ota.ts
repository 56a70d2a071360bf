import type { Link } from "@ivy/messaging/forwarder";
import type { PackageState } from "@ivy/types";
import { TELEMETRY_TOPIC } from "../../thingsboard-protocol.ts";
import type { AssignedPackage, InstallProgress } from "../install-package.ts";
import type { ThingsBoardNode } from "../node.ts";
import type { Questions } from "../questions.ts";
import type { PackageKind } from "../topics.ts";
import { ChunkSize } from "./download.ts";
import { fetchPackage } from "./fetch-package.ts";
import { OtaDeferral, OtaFailure } from "./ota-failure.ts";
import { ORDER, PackageRecords } from "./package-records.ts";
import { removeOtherParts } from "./part-file.ts";
import { readAssignment, type Target, type Upload } from "./target.ts";

/** What outlives a connection: the server closes it behind each of its complaints. */
export class OtaMemory {
  readonly chunks = new ChunkSize();
  /** Why the server does not give out a package, by its target. */
  readonly refusals = new Map<string, OtaFailure>();
  /** What is done about packages, one after another: two connections must not do the same. */
  previous: Promise<void> = Promise.resolve();
}

export interface OtaOptions {
  link: Link;
  questions: Questions;
  node: Pick<ThingsBoardNode, "agent" | "state" | "logger" | "dataDir" | "installPackage">;
  memory: OtaMemory;
  chunkMs: number;
}

/** In these, there is nothing for this backend to do. */
const SETTLED: readonly PackageState["state"][] = ["UPDATED", "FAILED"];

/** The target of a kind that is pursued, or that there is none. */
interface Pursuit {
  target: Target | undefined;
  abandoned: AbortController;
}

/**
 * Packages that the server assigns, over one connection: downloaded, checked, handed over, one after another. Only what
 * really has changed is told to the server.
 */
export class Ota {
  readonly #options: OtaOptions;
  readonly #records: PackageRecords;
  readonly #pursuits = new Map<PackageKind, Pursuit>();
  /** The download that is running, or was the last. */
  #download: { target: Target; broken: AbortController } | undefined;

  constructor(options: OtaOptions) {
    this.#options = options;
    this.#records = new PackageRecords(options.node, options.link);
  }

  /** Tells which software is running. */
  async reportCurrent(): Promise<void> {
    const { name, version } = this.#options.node.agent;
    const current = { current_sw_title: name, current_sw_version: version };
    await this.#options.link.publish(TELEMETRY_TOPIC, JSON.stringify(current));
  }

  /**
   * To be called whenever the server tells which package of a kind it assigns, or that there is none. The same as
   * before changes nothing; another one takes its place.
   *
   * @returns resolves once it is done with, or has to wait for the next connection
   * @throws what writing files or the state throws
   */
  async assign(kind: PackageKind, target: Target | undefined): Promise<void> {
    const before = this.#pursuits.get(kind);
    if (before !== undefined && before.target?.digest === target?.digest) return;
    before?.abandoned.abort(new Error("The server has assigned something else"));
    const pursuit = { target, abandoned: new AbortController() };
    this.#pursuits.set(kind, pursuit);
    const { memory } = this.#options;
    const done = memory.previous.then(() => this.#pursue(kind, pursuit));
    memory.previous = done.catch(() => undefined);
    await done;
  }

  /** Takes what the server says on its topic for errors; it closes the connection after that. */
  takeError(text: string): void {
    if (this.#download === undefined) return;
    const { target, broken } = this.#download;
    const { chunks, refusals } = this.#options.memory;
    if (text === "PAYLOAD_TOO_LARGE" && chunks.halve()) {
      broken.abort(new OtaDeferral(text, "smaller chunks are asked for at the next connection"));
      return;
    }
    const code = /^[A-Z_]{1,32}$/.test(text) ? text : "REFUSED";
    const refusal = new OtaFailure(code, "the server does not give the package out");
    refusals.set(target.digest, refusal);
    broken.abort(refusal);
  }

  async #pursue(kind: PackageKind, { target, abandoned }: Pursuit): Promise<void> {
    const { link, node } = this.#options;
    const signal = AbortSignal.any([link.signal, abandoned.signal]);
    if (signal.aborted) return;
    try {
      await removeOtherParts(node.dataDir, this.#wantedUploads());
      if (target === undefined) await this.#records.forget(kind);
      else await this.#proceed(target, signal);
    } catch (error) {
      if (abandoned.signal.aborted) return;
      // What is known for good is kept, though the connection may have ended meanwhile.
      if (target !== undefined && error instanceof OtaFailure) await this.#fail(target, error);
      else if (!link.signal.aborted) throw error;
    }
  }

  async #proceed(target: Target, signal: AbortSignal): Promise<void> {
    const known = this.#records.find(target);
    await this.#records.catchUp(target);
    const isCurrent = this.#isCurrent(target);
    // What was running before it was assigned has not been updated.
    if (isCurrent ? known === undefined || known.state === "UPDATED" : known && SETTLED.includes(known.state))
      return;
    const { title, version, tag, source } = readAssignment(target);
    const named = { kind: target.kind, title, version, ...(tag === undefined ? {} : { tag }) };
    if ("url" in source) {
      await this.#records.advance(target, "DOWNLOADING");
      await this.#install(target, { ...named, url: source.url }, signal);
      return;
    }
    // It was handed over: whoever took it knows how far it is, also where it runs and has yet to prove itself.
    const isTaken = known?.taken || known?.state === "UPDATING" || isCurrent;
    if (isTaken && (await this.#install(target, named, signal))) return;
    const file = await this.#fetch(target, source.upload, signal);
    await this.#install(target, { ...named, file }, signal);
  }

  async #fetch(target: Target, upload: Upload, signal: AbortSignal): Promise<string> {
    const { node, memory, questions, chunkMs } = this.#options;
    const refusal = memory.refusals.get(target.digest);
    if (refusal !== undefined) throw refusal;
    const broken = new AbortController();
    this.#download = { target, broken };
    return await fetchPackage({
      target,
      upload,
      records: this.#records,
      node,
      questions,
      chunks: memory.chunks,
      chunkMs,
      signal: AbortSignal.any([signal, broken.signal]),
    });
  }

  /**
   * Hands a package over, and shows how far it is until its end.
   *
   * @returns whether anything is known about it
   */
  async #install(target: Target, assigned: AssignedPackage, signal: AbortSignal): Promise<boolean> {
    // The server holds nothing that is not there and verified already.
    const least = assigned.url === undefined ? "VERIFIED" : "DOWNLOADING";
    let told: Promise<unknown> = Promise.resolve();
    const onProgress = ({ state, ...rest }: InstallProgress) => {
      const shown = ORDER.indexOf(state) < ORDER.indexOf(least) ? least : state;
      told = told.then(() => this.#records.follow(target, { ...rest, state: shown }));
      // Whoever waits for the verdict gets it too.
      told.catch(() => undefined);
    };
    const verdict = await this.#options.node.installPackage(assigned, { signal, onProgress });
    await told;
    if (verdict.outcome === "refused") throw new OtaFailure(verdict.code, verdict.reason);
    if (this.#isCurrent(target)) await this.#records.set(target, { state: "UPDATED" });
    else if (verdict.outcome === "unknown") {
      await this.#records.set(target, { state: "DOWNLOADING" });
      return false;
    }
    return true;
  }

  async #fail(target: Target, failure: OtaFailure): Promise<void> {
    const { node, memory } = this.#options;
    const what = `The ${target.kind} package that the server has assigned`;
    if (failure instanceof OtaDeferral) {
      node.logger.warning(`${what} has to wait`, failure.told);
      await this.#records.note(target.kind, failure.told);
      return;
    }
    node.logger.error(`${what} is not installed`, failure.told);
    memory.refusals.delete(target.digest);
    await this.#records.set(target, { state: "FAILED", error: failure.told });
    await removeOtherParts(node.dataDir, this.#wantedUploads(target));
  }

  #isCurrent({ said }: Target): boolean {
    const { name, version } = this.#options.node.agent;
    return said.title === name && said.version === version;
  }

  /** The uploads that are still wanted. */
  #wantedUploads(failed?: Target): Upload[] {
    const targets = [...this.#pursuits.values()].map(({ target }) => target);
    return targets.flatMap((target) => (target === undefined || target === failed ? [] : uploadOf(target)));
  }
}

function uploadOf(target: Target): Upload[] {
  try {
    const { source } = readAssignment(target);
    return "upload" in source ? [source.upload] : [];
  } catch {
    return [];
  }
}
