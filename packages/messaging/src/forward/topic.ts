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
