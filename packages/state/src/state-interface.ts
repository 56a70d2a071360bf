import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isCode, KernelLock, replaceFile } from "@ivy/files";
import { redact, State } from "@ivy/types";
import type * as z from "zod/mini";

/** How long an update waits for those of other processes, in milliseconds. */
const LOCK_TIMEOUT_MS = 6_000;

export interface StateOptions<S> {
  /** Holds `state.json` and its lock file `state.lock`. */
  dataDir: string;
  /** Must give defaults for everything, so that an empty object is a state; Ivy's own state if left out. */
  schema?: z.ZodMiniType<S>;
  /** Told of a state file that could not be read, or not all of it, and was kept aside. */
  onIncident?: (text: string) => void;
}

/** What is wrong with a state file, and what becomes of the state, in words. */
interface Damage {
  what: string;
  remedy: string;
  /** The text of the file, without the passwords of the configurations in it, as far as it can be read. */
  kept: string;
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

  /** The state as it is now. What of it cannot be read has its defaults; the file is then kept aside by the next update. */
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

  #read(): { state: S; text?: string; damage?: Damage } {
    const text = this.#readText();
    if (text === undefined) return { state: this.#schema.parse({}) };
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // The engine's own error would quote what stands around the mistake.
      return this.#anew("it is not JSON", text);
    }
    const whole = this.#schema.safeParse(value);
    if (whole.success) return { state: whole.data, text };
    const kept = `${JSON.stringify(redact(value), undefined, 2)}\n`;
    const unknown = new Set(whole.error.issues.map(({ path }) => String(path[0] ?? "")));
    const known = Object.entries(Object(value)).filter(([key]) => !unknown.has(key));
    const rest = this.#schema.safeParse(Object.fromEntries(known));
    if (unknown.has("") || !rest.success) return this.#anew("it holds no state", kept);
    const keys = [...unknown].map((key) => `"${key}"`).join(", ");
    return {
      state: rest.data,
      damage: {
        what: `holds ${keys} in a form that this version does not know`,
        remedy: "everything else is taken over",
        kept,
      },
    };
  }

  #anew(why: string, kept: string): { state: S; damage: Damage } {
    const damage = { what: `could not be read (${why})`, remedy: "the state starts anew", kept };
    return { state: this.#schema.parse({}), damage };
  }

  #readText(): string | undefined {
    try {
      return readFileSync(this.#file, "utf8");
    } catch (error) {
      if (isCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  #keepAside({ what, remedy, kept: text }: Damage): void {
    let attempt = 1;
    while (existsSync(`${this.#file}.unreadable-${attempt}`)) attempt++;
    const kept = `${this.#file}.unreadable-${attempt}`;
    replaceFile(kept, text, 0o600);
    this.#incident(`${this.#file} ${what}; it is kept as ${kept}, and ${remedy}`);
  }
}
