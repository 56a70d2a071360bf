/** A change from version 1.0.0 and revision 1 to revision 2. */
export interface Change {
  version: string;
  /** What the new generation does. */
  behaviour: "works" | "exits" | "hangs";
}

export const CHANGES = {
  "a version that works": { version: "2.0.0", behaviour: "works" },
  "a version that exits at once": { version: "2.0.0", behaviour: "exits" },
  "a version that hangs": { version: "2.0.0", behaviour: "hangs" },
  "a configuration that works": { version: "1.0.0", behaviour: "works" },
  "a configuration that crashes": { version: "1.0.0", behaviour: "exits" },
} as const satisfies Record<string, Change>;
export type ChangeName = keyof typeof CHANGES;

/** Long enough for what works, on a busy machine; what hangs costs its whole trial, and what exits the pauses in it. */
export const trialSecondsOf = ({ behaviour }: Change) => (behaviour === "works" ? 60 : 8);
