import { mkdirSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { keepWithinLimits, type LogLimits } from "./limits.ts";
import { formatLocalDate } from "./local-time.ts";

/** Appends entries to the log file of the local day, each with one write, so that those of several processes stay whole. */
export class DailyFile {
  readonly #folder: string;
  readonly #limits: LogLimits;
  #date: string | undefined;
  #destination: ReturnType<typeof pino.destination> | undefined;

  constructor(folder: string, limits: LogLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  write(text: string, instantMs: number): void {
    const date = formatLocalDate(instantMs);
    if (this.#destination === undefined || date !== this.#date) this.#open(date);
    this.#destination?.write(text);
  }

  pathAt(instantMs: number): string {
    return join(this.#folder, `${formatLocalDate(instantMs)}.log`);
  }

  close(): void {
    this.#destination?.end();
    this.#destination = undefined;
  }

  #open(date: string): void {
    this.close();
    mkdirSync(this.#folder, { recursive: true });
    const destination = pino.destination({
      dest: join(this.#folder, `${date}.log`),
      sync: true,
      append: true,
    });
    // A full disk: said where it can be said, and tried again with a fresh descriptor at the next entry.
    destination.on("error", (error) => {
      // pino tells of it twice.
      if (this.#destination !== destination) return;
      process.stderr.write(`The log file of ${date} cannot be written: ${(error as Error).message}\n`);
      destination.destroy();
      this.#destination = undefined;
    });
    [this.#destination, this.#date] = [destination, date];
    keepWithinLimits(this.#folder, `${date}.log`, this.#limits);
  }
}
