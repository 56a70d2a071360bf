import { existsSync, linkSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isCode, KernelLock, replaceFile } from "@ivy/files";
import { State } from "@ivy/types";
import type * as z from "zod/mini";

/** How long an update waits for those of other processes, in milliseconds. */
const LOCK_TIMEOUT_MS = 6_000;

export interface StateOptions<S> {
  /** Holds `state.json` and its lock file `state.lock`. */
  dataDir: string;
  /** Must give defaults for everything, so that an empty object is a state; Ivy's own state if left out. */
  schema?: z.ZodMiniType<S>;
  /** Told of a state file that could not be read and was kept aside. */
  onIncident?: (text: string) => void;
}

/**
 * One JSON document that processes share.
 *
 * INVARIANTS: the file is old or new, never torn, so reading needs no lock. Whoever changes it holds the kernel's lock
 * from before it reads until after it has written, so no update is lost.
 */
export class StateInterface<S = State> {
  readonly #file: string;
  readonly #lockFile: string;
  readonly #schema: z.ZodMiniType<S>;
  readonly #incident: (text: string) => void;

  constructor({ dataDir, schema, onIncident }: StateOptions<S>) {
    mkdirSync(dataDir, { recursive: true });
    this.#file = join(dataDir, "state.json");
    this.#lockFile = join(dataDir, "state.lock");
    this.#schema = schema ?? (State as unknown as z.ZodMiniType<S>);
    this.#incident = onIncident ?? (() => undefined);
  }

  /** The state as it is now. One that cannot be read is taken for an empty one, and kept aside by the next update. */
  load(): S {
    return this.#read().state;
  }

  /**
   * Changes the state. Other processes' updates wait meanwhile, so the change is to be short.
   *
   * @param change - changes the state it is given in place; where it throws, nothing is written
   * @returns the state as it is after the change
   * @throws LockHeldError when another process holds the lock for more than six seconds
   */
  async update(change: (state: S) => void | Promise<void>): Promise<S> {
    using lock = new KernelLock(this.#lockFile);
    await lock.acquire(LOCK_TIMEOUT_MS);
    const { state, text, damage } = this.#read();
    await change(state);
    const changed = `${JSON.stringify(this.#schema.parse(state), undefined, 2)}\n`;
    if (damage !== undefined) this.#keepAside(damage);
    if (changed !== text) replaceFile(this.#file, changed);
    return state;
  }

  #read(): { state: S; text?: string; damage?: string } {
    const text = this.#readText();
    if (text === undefined) return { state: this.#schema.parse({}) };
    try {
      return { state: this.#schema.parse(JSON.parse(text)), text };
    } catch (error) {
      return {
        state: this.#schema.parse({}),
        damage: error instanceof Error ? error.message : String(error),
      };
    }
  }

  #readText(): string | undefined {
    try {
      return readFileSync(this.#file, "utf8");
    } catch (error) {
      if (isCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  #keepAside(damage: string): void {
    let attempt = 1;
    while (existsSync(`${this.#file}.unreadable-${attempt}`)) attempt++;
    const kept = `${this.#file}.unreadable-${attempt}`;
    linkSync(this.#file, kept);
    this.#incident(
      `${this.#file} could not be read (${damage}); it is kept as ${kept}, and the state starts anew`,
    );
  }
}
