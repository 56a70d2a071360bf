import { type LogFile, type LogFolder, sizeOf } from "./folder.ts";
import { type Lane, numberOf, placeOf, type Span, spanOfFile } from "./place.ts";
import { type Located, readLog } from "./reader.ts";
import { contains, firstBeyond } from "./spans.ts";

/** A part of the log with something in it that nobody can read, or with nothing in it. */
export interface Unreadable {
  file: string;
  /** Torn and damaged ones. */
  lines: number;
  /** Where it stands, if no record follows that takes it along. */
  span?: Span;
}

/** The records of a part of the log, in order; each once, until it is rewound. */
export class LogStream {
  readonly #folder: LogFolder;
  readonly #lane: Lane;
  readonly #bounds: Span;
  readonly #unreadable: (what: Unreadable) => void;
  /** Where to read on, by the files' sequence. */
  readonly #readTo = new Map<number, number>();
  /** Read and not handed out. */
  #ahead: Located[] = [];
  /** The files that may still hold something. */
  #files: LogFile[] = [];

  /** @param bounds - a part of one lane */
  constructor(folder: LogFolder, bounds: Span, unreadable: (what: Unreadable) => void) {
    this.#folder = folder;
    this.#lane = placeOf(bounds.from).lane;
    this.#bounds = bounds;
    this.#unreadable = unreadable;
    this.filesChanged();
  }

  /** To be called when a file of the log has been created or removed. */
  filesChanged(): void {
    this.#files = this.#folder.list(this.#lane).filter((file) => {
      const span = spanOfFile(file);
      return span.to > this.#bounds.from && span.from < this.#bounds.to;
    });
  }

  /** Everything can be handed out again. */
  rewind(): void {
    this.#readTo.clear();
    this.#ahead = [];
    this.filesChanged();
  }

  /**
   * @param limit - only whole ones count
   * @param pending - what of the log is still to be sent; the rest is passed over
   */
  take(limit: number, pending: readonly Span[]): Located[] {
    const taken: Located[] = [];
    while (limit - taken.length >= 1) {
      if (this.#ahead.length === 0) this.#ahead = this.#readOn(pending);
      if (this.#ahead.length === 0) break;
      const next = this.#ahead.splice(0, limit - taken.length);
      taken.push(...next.filter(({ identifier }) => contains(pending, identifier)));
    }
    return taken;
  }

  /** The next chunk that has a record in it. */
  #readOn(pending: readonly Span[]): Located[] {
    for (const file of this.#files) {
      const located = this.#readFile(file, pending);
      if (located.length > 0) return located;
      if (!file.isLive) this.#files = this.#files.filter((other) => other !== file);
    }
    return [];
  }

  #readFile(file: LogFile, pending: readonly Span[]): Located[] {
    const base = numberOf({ ...file, offset: 0 });
    const end = Math.min(spanOfFile(file).to, this.#bounds.to);
    const size = sizeOf(file);
    for (;;) {
      const position = Math.max(base + (this.#readTo.get(file.sequence) ?? 0), this.#bounds.from);
      if (position >= base + size) return [];
      const span = firstBeyond(pending, position);
      if (span === undefined || span.from >= end) return [];
      const from = Math.max(position, span.from) - base;
      const to = Math.min(span.to, end) - base;
      const { located, next, damaged } = readLog(file, from, to, !file.isLive || to <= size);
      if (next === from) return [];
      this.#readTo.set(file.sequence, next);
      const isEmpty = located.length === 0;
      const skipped = isEmpty ? { span: { from: base + from, to: base + next } } : {};
      if (isEmpty || damaged > 0) this.#unreadable({ file: file.path, lines: damaged, ...skipped });
      if (!isEmpty) return located;
    }
  }
}
