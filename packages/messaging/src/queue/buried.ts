import type { Located } from "../log/reader.ts";
import type { LogRecord } from "../log/record.ts";

/** A message that becomes a dead letter. */
export type Buried = Pick<Located, "identifier" | "record">;

/** A dead letter as the database keeps it. */
export interface BuriedRecord {
  identifier: number;
  record: LogRecord;
  reason: string;
  /** ISO 8601, in UTC. */
  at: string;
}
