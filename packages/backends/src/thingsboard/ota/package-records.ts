import type { Link } from "@ivy/messaging/forwarder";
import type { PackageState } from "@ivy/types";
import { TELEMETRY_TOPIC } from "../../thingsboard-protocol.ts";
import type { InstallProgress } from "../install-package.ts";
import type { ThingsBoardNode } from "../node.ts";
import type { PackageKind } from "../topics.ts";
import type { Target } from "./target.ts";

/** What is known about a package once something is known. */
export type Progress = Pick<PackageState, "state" | "error" | "taken">;

/** The states of a package that goes well, in their order. */
export const ORDER: readonly PackageState["state"][] = ["DOWNLOADING", "DOWNLOADED", "VERIFIED", "UPDATING"];

/** How far each assigned package is: told to the server once, and remembered through reconnects and restarts. */
export class PackageRecords {
  readonly #node: Pick<ThingsBoardNode, "state" | "logger">;
  readonly #link: Link;

  constructor(node: Pick<ThingsBoardNode, "state" | "logger">, link: Link) {
    this.#node = node;
    this.#link = link;
  }

  /** What is known about a target; nothing if another one of its kind is known. */
  find({ kind, digest }: Target): PackageState | undefined {
    const record = this.#node.state.load().packages?.[kind];
    return record?.target === digest ? record : undefined;
  }

  async set({ kind, digest }: Target, progress: Progress): Promise<void> {
    const reported = await this.#report(kind, progress);
    await this.#remember(kind, { target: digest, ...progress, reported });
  }

  /** Sets a state, unless that was reached before: on another connection, or in another process. */
  async advance(target: Target, state: PackageState["state"]): Promise<void> {
    const known = this.find(target)?.state;
    if (known === undefined || ORDER.indexOf(state) > ORDER.indexOf(known)) await this.set(target, { state });
  }

  /** Sets a state as whoever has taken the package over tells it, with what was passed since: it may go back too. */
  async follow(target: Target, progress: InstallProgress): Promise<void> {
    const known = this.find(target);
    if (known?.state === progress.state && known.error === progress.error) {
      if (!known.taken) await this.#remember(target.kind, { ...known, taken: true });
      return;
    }
    const passed = ORDER.slice(
      ORDER.indexOf(known?.state ?? "DOWNLOADING") + 1,
      ORDER.indexOf(progress.state),
    );
    for (const state of passed) await this.set(target, { state, taken: true });
    await this.set(target, { ...progress, taken: true });
  }

  /** Tells the server what it does not know yet. */
  async catchUp(target: Target): Promise<void> {
    const known = this.find(target);
    if (known === undefined || known.reported) return;
    const { state, error, taken } = known;
    await this.set(target, {
      state,
      ...(error === undefined ? {} : { error }),
      ...(taken === undefined ? {} : { taken }),
    });
  }

  /** Tells why it cannot be gone on with now. That is no state at the server, so it is not remembered. */
  async note(kind: PackageKind, error: string): Promise<void> {
    await this.#publish({ [`${kind}_error`]: error });
  }

  async forget(kind: PackageKind): Promise<void> {
    if (this.#node.state.load().packages?.[kind] === undefined) return;
    await this.#node.state.update((draft) => {
      const { [kind]: _, ...others } = draft.packages ?? {};
      draft.packages = others;
    });
  }

  async #remember(kind: PackageKind, record: PackageState): Promise<void> {
    await this.#node.state.update((draft) => {
      draft.packages = { ...draft.packages, [kind]: record };
    });
  }

  async #report(kind: PackageKind, { state, error }: Progress): Promise<boolean> {
    const values = { [`${kind}_state`]: state, ...(error === undefined ? {} : { [`${kind}_error`]: error }) };
    return await this.#publish(values);
  }

  /** Without a time: beside the states that the server itself sets, its own clock must hold. */
  async #publish(values: Record<string, string>): Promise<boolean> {
    try {
      await this.#link.publish(TELEMETRY_TOPIC, JSON.stringify(values));
      return true;
    } catch (error) {
      this.#node.logger.debug("The state of a package could not be told", String(error));
      return false;
    }
  }
}
