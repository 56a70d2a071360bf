import type * as z from "zod/mini";

/** What stands in the place of a secret wherever a configuration is shown, logged, stored or sent. */
export const REDACTED = "[redacted]";

/**
 * A web address with a user name or a password, which is a token as often: such a text is a secret whatever its name, and
 * no field of ours takes one.
 */
const ADDRESS_WITH_USER = /^\s*https?:[/\\]*[^/\\?#]*@/i;

export function isAddressWithUser(text: string): boolean {
  return ADDRESS_WITH_USER.test(text);
}

const secrets = new WeakSet<z.ZodMiniType>();

/** Marks a field of a configuration schema as secret: it never leaves the configuration file in clear. */
export function secret<Schema extends z.ZodMiniType>(schema: Schema): Schema {
  secrets.add(schema as z.ZodMiniType);
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
export function redact<Value>(value: Value, schema?: z.ZodMiniType): Value {
  return transform(value, schema, undefined, (found) => (found === null ? null : REDACTED)) as Value;
}

/** The secrets of a configuration, longest first, so that they can be struck out of any text. */
export function secretsOf(value: unknown, schema?: z.ZodMiniType): string[] {
  const found = new Set<string>();
  transform(value, schema, undefined, (secretValue) => {
    if (typeof secretValue === "string" && secretValue.length > 0) found.add(secretValue);
    return secretValue;
  });
  return [...found].sort((a, b) => b.length - a.length);
}

/** A shorter text stands in other words too often to be struck out, in characters. */
const SHORTEST_SECRET = 4;

/** Secrets as they may be written in texts, longest first: as they are, in JSON, JSON within JSON, addresses, Base64. */
export function spellingsOf(secrets: readonly string[]): string[] {
  const long = secrets.filter((clear) => clear.length >= SHORTEST_SECRET);
  const spellings = long.flatMap((clear) => {
    const inJson = escaped(clear);
    const inAddress = encodeURIComponent(clear.toWellFormed());
    return [clear, inJson, escaped(inJson), inAddress, Buffer.from(clear).toString("base64")];
  });
  return [...new Set(spellings)].sort((a, b) => b.length - a.length);
}

const escaped = (text: string) => JSON.stringify(text).slice(1, -1);

type Visit = (secretValue: unknown) => unknown;

function transform(
  value: unknown,
  schema: z.ZodMiniType | Described | undefined,
  key: string | undefined,
  visit: Visit,
): unknown {
  const described = unwrap(schema);
  if (described.secret || (key !== undefined && SECRET_NAME.test(key) && !isContainer(value)))
    return visit(value);
  if (typeof value === "string" && isAddressWithUser(value)) return visit(value);
  if (Array.isArray(value)) return value.map((item) => transform(item, undefined, key, visit));
  if (!isContainer(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const schemaOfInner = isTokenConnection(value, name) ? TOKEN_CONNECTION : described.shape?.[name];
      return [name, transform(inner, schemaOfInner, name, visit)];
    }),
  );
}

/** The access token of a device at ThingsBoard is its user name; then there is no password. */
const TOKEN_CONNECTION: Described = { secret: false, shape: { username: { secret: true } } };

function isTokenConnection(backend: object, key: string): boolean {
  if (key !== "mqtt_connection" || !("mqtt_connection" in backend) || !isContainer(backend.mqtt_connection))
    return false;
  const provider = "provider" in backend ? backend.provider : undefined;
  return provider === "thingsboard" && !("password" in backend.mqtt_connection);
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

interface Described {
  secret: boolean;
  shape?: Record<string, z.ZodMiniType | Described>;
}

/** What a schema says below its wrappers (optional, nullable, default). */
function unwrap(schema: z.ZodMiniType | Described | undefined): Described {
  if (schema === undefined) return { secret: false };
  if ("secret" in schema) return schema;
  if (secrets.has(schema)) return { secret: true };
  const definition = schema._zod.def as { innerType?: z.ZodMiniType; shape?: Record<string, z.ZodMiniType> };
  if (definition.innerType !== undefined) return unwrap(definition.innerType);
  return definition.shape === undefined ? { secret: false } : { secret: false, shape: definition.shape };
}
