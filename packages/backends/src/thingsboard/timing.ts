/** How long the backend waits, in milliseconds. */
export interface Timing {
  /** For an answer of the server. */
  answerMs: number;
  /** Until it asks again what was not answered. */
  askAgainMs: number;
  /** For a chunk of a package, the first time; twice as long each time after that. */
  chunkMs: number;
  /** From one publish of the client attributes to the next, at least. */
  attributesPauseMs: number;
}

export const TIMING: Timing = {
  answerMs: 5_000,
  askAgainMs: 60_000,
  chunkMs: 10_000,
  attributesPauseMs: 10_000,
};
