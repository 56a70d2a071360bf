/**
 * The log has two lanes, each with files and an order of its own: what is urgent overtakes everything else, however
 * much of that is waiting.
 */
export const LANES = ["urgent", "regular"] as const;
export type Lane = (typeof LANES)[number];

/** Where something stands in the log. */
export interface Place {
  lane: Lane;
  /** Of the file within its lane. */
  sequence: number;
  /** Within the file, in bytes. */
  offset: number;
}

/** A stretch of the log, from a number up to but without another. */
export interface Span {
  from: number;
  to: number;
}

/*
 * A place is one number, so that the order of numbers is the order of sending: lane, then file, then offset. SQLite
 * keeps the integers of JavaScript exactly below 2^51 only, and that is what is shared out.
 */
const OFFSETS = 2 ** 32;
const LANE_SIZE = 2 ** 50;

/** A lane can have files up to this sequence. */
export const LAST_SEQUENCE = LANE_SIZE / OFFSETS - 1;

export function numberOf({ lane, sequence, offset }: Place): number {
  return LANES.indexOf(lane) * LANE_SIZE + sequence * OFFSETS + offset;
}

export function placeOf(number: number): Place {
  const inLane = number % LANE_SIZE;
  return {
    lane: number < LANE_SIZE ? "urgent" : "regular",
    sequence: Math.floor(inLane / OFFSETS),
    offset: inLane % OFFSETS,
  };
}

/** Everything that a lane holds and will ever hold. */
export function spanOfLane(lane: Lane): Span {
  const from = numberOf({ lane, sequence: 0, offset: 0 });
  return { from, to: from + LANE_SIZE - 1 };
}

/** Everything that a file holds and will ever hold. */
export function spanOfFile({ lane, sequence }: Pick<Place, "lane" | "sequence">): Span {
  const from = numberOf({ lane, sequence, offset: 0 });
  return { from, to: from + OFFSETS };
}
