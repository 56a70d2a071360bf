/**
 * Lets this process live on where what it prints cannot be written, because the disk is full or the reader is gone: the
 * text is lost, and the next one is tried again.
 */
export function tolerateLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}
