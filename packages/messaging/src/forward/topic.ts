/** Longer text cannot be written in MQTT, in bytes. */
const LONGEST_BYTES = 65_535;

/** A shared subscription: the broker deals out the messages of the filter behind it to a group. */
const SHARED = /^\$share\/[^/+#]+\/(?=.)/;

/** Whether a topic filter of MQTT stands for a topic: `+` for any one level, `#` for all that follow. */
export function matches(filter: string, topic: string): boolean {
  const levels = filter.replace(SHARED, "").split("/");
  const parts = topic.split("/");
  // What brokers tell of themselves has to be asked for by name.
  if (topic.startsWith("$") && (levels[0] === "+" || levels[0] === "#")) return false;
  for (const [index, level] of levels.entries()) {
    if (level === "#") return true;
    if (index >= parts.length || (level !== "+" && level !== parts[index])) return false;
  }
  return levels.length === parts.length;
}

/** Whether something can be published on: text without wildcards that MQTT can write. */
export function isTopic(topic: unknown): boolean {
  return isWritable(topic) && !/[+#]/.test(topic);
}

/** Whether something can be subscribed: wildcards stand for whole levels, and `#` for the last ones. */
export function isFilter(filter: unknown): boolean {
  if (!isWritable(filter)) return false;
  const levels = filter.replace(SHARED, "").split("/");
  return levels.every(
    (level, index) => level === "+" || (level === "#" && index === levels.length - 1) || !/[+#]/.test(level),
  );
}

function isWritable(text: unknown): text is string {
  return (
    typeof text === "string" &&
    text !== "" &&
    !text.includes("\0") &&
    text.isWellFormed() &&
    Buffer.byteLength(text) <= LONGEST_BYTES
  );
}
