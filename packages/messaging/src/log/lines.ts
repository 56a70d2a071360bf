import { LINE_END_LENGTH, sealInPlace } from "./seal.ts";

/** Room that is kept; more than that only as long as it is needed. In bytes. */
const USUAL_ROOM = 128 * 1024;
const FIRST_ROOM = 4 * 1024;
const MOST_BYTES_PER_CHARACTER = 3;

/** Lines of the log that are gathered to be written at once. */
export class Lines {
  #room = Buffer.alloc(0);
  #length = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  /** @param open - a JSON object without its closing brace */
  add(open: string): void {
    this.#makeRoom(open.length * MOST_BYTES_PER_CHARACTER + LINE_END_LENGTH);
    const end = this.#length + this.#room.write(open, this.#length);
    this.#length = sealInPlace(this.#room, this.#length, end);
  }

  /** The lines, as the first so many of some bytes, which stand until others are added; there are none then. */
  take(): { bytes: Buffer; length: number } {
    const taken = { bytes: this.#room, length: this.#length };
    if (this.#room.length > USUAL_ROOM) this.#room = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }

  #makeRoom(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#room.length) return;
    const room = Buffer.allocUnsafeSlow(Math.max(FIRST_ROOM, 2 * this.#room.length, needed));
    this.#room.copy(room, 0, 0, this.#length);
    this.#room = room;
  }
}
