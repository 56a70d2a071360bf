import * as z from "zod/mini";
import { about, text, wholeNumber } from "./about.ts";
import { secret } from "./secret.ts";
import { topicTemplate } from "./topic-template.ts";

/** Paths are relative to the folder `config` of the node: that of its root, or that of a checkout. */
export const TlsConfig = z.strictObject({
  ca_file: z.optional(
    text({
      title: "Authorities",
      description: "File with the certificates (PEM) of the authorities to trust instead of the system's",
      example: "ca.pem",
    }),
  ),
  cert_file: z.optional(
    text({
      title: "Certificate",
      description: "File with the certificate (PEM) of this client; for brokers that ask for one",
      example: "client.pem",
    }),
  ),
  key_file: z.optional(
    text({
      title: "Private key",
      description: "File with the private key (PEM) that belongs to the certificate of this client",
      example: "client.key",
    }),
  ),
});
export type TlsConfig = z.infer<typeof TlsConfig>;

export const MQTTBrokerConfig = z.strictObject({
  host: text({
    title: "Host",
    description: "Host name or address of the broker",
    example: "mqtt.example.org",
  }),
  port: wholeNumber(1, 65_535, {
    title: "Port",
    description: "TCP port of the broker: 1883 in clear, 8883 with TLS, usually",
    example: 8_883,
  }),
  client_id: text({
    title: "Client identifier",
    description: "MQTT client identifier; unique at the broker",
    example: "my-system-1",
  }),
  username: z.optional(
    text({
      title: "User name",
      description: "User name at the broker, at ThingsBoard the access token; leave out for a broker without",
      example: "my-system-1",
    }),
  ),
  password: z.optional(secret(z.string().check(z.minLength(1), z.maxLength(512)))).check(
    about({
      title: "Password",
      description: "Password at the broker; leave out for a broker without",
      example: "a-password",
    }),
  ),
  tls: z.optional(TlsConfig).check(
    about({
      title: "TLS",
      description:
        "Speak TLS; an empty object trusts the system's authorities. Left out, everything goes in clear",
      example: { ca_file: "ca.pem" },
    }),
  ),
});
export type MQTTBrokerConfig = z.infer<typeof MQTTBrokerConfig>;

const topic = (name: string, title: string, description: string, placeholders?: readonly string[]) =>
  z._default(
    topicTemplate({ title, description, example: `sites/{system_identifier}/${name}` }, placeholders),
    `ivy/{system_identifier}/${name}`,
  );

/** Topics of the provider `mqtt`: templates with `{system_identifier}` and `{client_id}`; that of logs with `{level}` too. */
export const TopicsConfig = z
  .strictObject({
    data: topic("data", "Topic of data", "Where data messages are published"),
    logs: topic("logs", "Topic of logs", "Where log messages are published", ["level"]),
    configuration_states: topic(
      "configuration_states",
      "Topic of configuration states",
      "Where it is published what becomes of a configuration",
    ),
    configuration: topic(
      "configuration",
      "Topic of configurations",
      "Where the server publishes the configuration, retained",
    ),
  })
  .check(
    z.refine(({ configuration, ...published }) => !Object.values(published).includes(configuration), {
      error:
        "must not be a topic that this system publishes to: it would take its own messages for configurations",
      path: ["configuration"],
    }),
  );
export type TopicsConfig = z.infer<typeof TopicsConfig>;

export const BackendConfig = z
  .strictObject({
    provider: z
      .enum(["tenta", "thingsboard", "mqtt"])
      .check(about({ title: "Kind of server", description: "Kind of the server", example: "tenta" })),
    mqtt_connection: MQTTBrokerConfig.check(
      about({ title: "Broker", description: "Where the broker is and who we are there" }),
    ),
    topics: z.optional(TopicsConfig).check(
      about({
        title: "Topics",
        description: "Where messages go and configurations come from; for the provider mqtt",
        example: { data: "sites/{system_identifier}/data" },
      }),
    ),
    max_parallel_messages: z._default(
      wholeNumber(1, 10_000, {
        title: "Messages under way",
        description: "Most messages that are sent and not yet acknowledged",
        unit: "messages",
        example: 100,
      }),
      50,
    ),
    max_backlog_rate: z._default(
      wholeNumber(1, 100_000, {
        title: "Speed of a backlog",
        description:
          "Most messages of what has waited while there was no connection; what is measured meanwhile goes first",
        unit: "messages a second",
        example: 100,
      }),
      500,
    ),
    max_drain_time: z._default(
      wholeNumber(0, 7_200, {
        title: "Longest drain",
        description: "How long the backend may go on sending when the agent stops",
        unit: "seconds",
        example: 300,
      }),
      600,
    ),
  })
  .check(
    z.refine(({ provider, topics }) => provider === "mqtt" || topics === undefined, {
      error: 'is for the provider "mqtt" alone: with the others, the topics are those of the server',
      path: ["topics"],
    }),
  );
export type BackendConfig = z.infer<typeof BackendConfig>;
