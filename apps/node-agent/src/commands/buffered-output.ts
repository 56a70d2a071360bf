import { writeSync } from "node:fs";
import { isCode } from "@ivy/files";

const STDOUT = 1;
const SIZE = 64 * 1024;

/** Standard output for much text: few writes, each of which waits for its reader, so that little is held in memory. */
export class BufferedOutput {
  #text = "";

  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= SIZE) this.flush();
  }

  flush(): void {
    writeWholly(Buffer.from(this.#text));
    this.#text = "";
  }
}

function writeWholly(bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(STDOUT, bytes, done);
    } catch (error) {
      // The reader has seen enough, as with `| head`.
      if (isCode(error, "EPIPE")) process.exit(0);
      if (!isCode(error, "EAGAIN")) throw error;
      // A reader that is slow, behind a pipe that does not wait.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
