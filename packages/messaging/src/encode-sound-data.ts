/** What the schema refuses or leaves out. */
const DOUBTFUL_KEYS = ["", "__proto__", "logging", "configuration"];

/** Each with its colon: a sensor has few keys, and they come again with every message. */
const encodedKeys = new Map<string, string>();
const MOST_ENCODED_KEYS = 1_000;

/**
 * The JSON text of a body that surely is a data message as Ivy's schema wants it: a short way past the schema and
 * `JSON.stringify` for what is added most often. `undefined` says nothing.
 */
export function encodeSoundData(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { variant, data } = body as Record<string, unknown>;
  if (variant !== "data" || typeof data !== "object" || data === null) return undefined;
  if (Object.getPrototypeOf(data) !== Object.prototype) return undefined;
  for (const key in body) if (key !== "variant" && key !== "data") return undefined;
  const values = encodeValues(data as Record<string, unknown>);
  return values === "" ? undefined : `{"variant":"data","data":{${values}}}`;
}

/** What stands between the braces; nothing where any of it is doubtful. */
function encodeValues(data: Record<string, unknown>): string {
  let text = "";
  for (const key in data) {
    const value = data[key];
    const name = encodedKeys.get(key) ?? encodeKey(key);
    if (name === undefined) return "";
    if (typeof value === "number" ? !Number.isFinite(value) : typeof value !== "string") return "";
    if (text !== "") text += ",";
    text += name + (typeof value === "number" ? value : JSON.stringify(value));
  }
  return text;
}

function encodeKey(key: string): string | undefined {
  if (DOUBTFUL_KEYS.includes(key)) return undefined;
  if (encodedKeys.size >= MOST_ENCODED_KEYS) encodedKeys.clear();
  const name = `${JSON.stringify(key)}:`;
  encodedKeys.set(key, name);
  return name;
}
