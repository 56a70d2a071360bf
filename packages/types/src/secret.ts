import type * as z from "zod/mini";

/** What stands in the place of a secret wherever a configuration is shown, logged, stored or sent. */
export const REDACTED = "[redacted]";

type Schema = z.ZodMiniType;

/**
 * A web address with a user name or a password, which is a token as often: such a text is a secret whatever its name, and
 * no field of ours takes one.
 */
const ADDRESS_WITH_USER = /^\s*https?:[/\\]*[^/\\?#]*@/i;

export function isAddressWithUser(text: string): boolean {
  return ADDRESS_WITH_USER.test(text);
}

const marked = new WeakSet<Schema>();

/**
 * Marks a part of a configuration schema as secret: it never leaves the configuration file in clear. It may stand
 * anywhere: in lists, records and alternatives, and below further checks.
 */
export function secret<Marked extends Schema>(schema: Marked): Marked {
  marked.add(schema as Schema);
  return schema;
}

/** Keys that hold a secret by their name, in parts of a foreign configuration that no schema of ours describes. */
const SECRET_NAME = /pass(word|phrase)?$|token$|secret|private_?key|credential|api_?key/i;

/**
 * A copy of a configuration that can be shown: every field that the schema marks as secret, and every other field
 * whose name says that it is one, holds {@link REDACTED} instead of its value; so do web addresses with a user name.
 *
 * @param value - the configuration, or a part of it; of this version or of another
 * @param schema - the schema that describes it, as far as one does
 */
export function redact<Value>(value: Value, schema?: Schema): Value {
  return transform(value, schemasOf(schema), undefined, (found) =>
    found === null ? null : REDACTED,
  ) as Value;
}

/** The secrets of a configuration, numbers as texts, longest first, so that they can be struck out of any text. */
export function secretsOf(value: unknown, schema?: Schema): string[] {
  const found = new Set<string>();
  transform(value, schemasOf(schema), undefined, (secretValue) => {
    for (const text of textsIn(secretValue)) found.add(text);
    return secretValue;
  });
  return [...found].sort((a, b) => b.length - a.length);
}

function textsIn(value: unknown): string[] {
  if (isContainer(value)) return Object.values(value).flatMap(textsIn);
  return (typeof value === "string" && value !== "") || typeof value === "number" ? [String(value)] : [];
}

/** A shorter text stands in other words too often to be struck out, in characters. */
const SHORTEST_SECRET = 4;

/** Secrets as they may be written in texts, longest first: as they are, in JSON, JSON within JSON, addresses, Base64. */
export function spellingsOf(secrets: readonly string[]): string[] {
  const long = secrets.filter((clear) => clear.length >= SHORTEST_SECRET);
  const spellings = long.flatMap((clear) => {
    const inJson = escaped(clear);
    const inAddress = encodeURIComponent(clear.toWellFormed());
    const inPath = encodeURI(clear.toWellFormed());
    const inForm = inAddress.replaceAll("%20", "+");
    return [clear, inJson, escaped(inJson), inAddress, inPath, inForm, Buffer.from(clear).toString("base64")];
  });
  return [...new Set(spellings)].sort((a, b) => b.length - a.length);
}

/**
 * A text in which {@link REDACTED} stands for every secret.
 *
 * @param spellings - of the secrets, as {@link spellingsOf} lists them: longest first, so that none leaves a rest of another
 */
export function redactText(text: string, spellings: readonly string[]): string {
  return spellings.reduce((shown, spelling) => shown.replaceAll(spelling, REDACTED), text);
}

const escaped = (text: string) => JSON.stringify(text).slice(1, -1);

type Visit = (secretValue: unknown) => unknown;

/** @param schemas - those that may describe the value: one that makes it secret is enough */
function transform(
  value: unknown,
  schemas: readonly Schema[],
  key: string | undefined,
  visit: Visit,
): unknown {
  const layers = layersOf(schemas);
  const isNamed = key !== undefined && SECRET_NAME.test(key) && !isContainer(value);
  const isAddress = typeof value === "string" && isAddressWithUser(value);
  if (isNamed || isAddress || layers.some((layer) => marked.has(layer))) return visit(value);
  if (!isContainer(value)) return value;
  const partsOf = (name: string) => layers.flatMap((layer) => partOf(layer, name));
  if (Array.isArray(value))
    return value.map((item, index) => transform(item, partsOf(String(index)), key, visit));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const shown = transform(inner, partsOf(name), name, visit);
      return [name, name === "mqtt_connection" && hasToken(value) ? visitUserName(shown, visit) : shown];
    }),
  );
}

/** The access token of a device at ThingsBoard is its user name; then there is no password. */
function hasToken(backend: object): boolean {
  const { provider, mqtt_connection } = backend as { provider?: unknown; mqtt_connection?: unknown };
  return provider === "thingsboard" && isContainer(mqtt_connection) && !("password" in mqtt_connection);
}

function visitUserName(connection: unknown, visit: Visit): unknown {
  if (!isContainer(connection) || !("username" in connection)) return connection;
  return { ...connection, username: visit(connection.username) };
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

interface Definition {
  innerType?: Schema;
  in?: Schema;
  out?: Schema;
  left?: Schema;
  right?: Schema;
  options?: readonly Schema[];
  getter?: () => Schema;
  shape?: Readonly<Record<string, Schema>>;
  catchall?: Schema;
  element?: Schema;
  valueType?: Schema;
  items?: readonly Schema[];
  rest?: Schema | null;
}

const schemasOf = (...schemas: readonly (Schema | undefined)[]) => schemas.filter((one) => one !== undefined);

/** Some schemas, what they were before checks were added, what their wrappers hold, and their alternatives; each once. */
function layersOf(schemas: readonly Schema[]): Schema[] {
  const layers = new Set(schemas);
  // Goes on with those that it adds itself.
  for (const schema of layers) {
    const { innerType, in: before, out, left, right, options = [], getter } = schema._zod.def as Definition;
    const parent = schema._zod.parent as Schema | undefined;
    const below = schemasOf(parent, innerType, before, out, left, right, getter?.());
    for (const layer of [...below, ...options]) layers.add(layer);
  }
  return [...layers];
}

/** What describes one part of a value. */
function partOf(schema: Schema, name: string): Schema[] {
  const { shape, catchall, element, valueType, items, rest } = schema._zod.def as Definition;
  const ofTuple = items?.[Number(name)] ?? rest ?? undefined;
  return schemasOf(shape?.[name] ?? catchall, element, valueType, ofTuple);
}
