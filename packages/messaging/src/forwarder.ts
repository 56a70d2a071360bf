export type { BrokerConnection } from "./broker-connection.ts";
export { type ForwardOptions, forward } from "./forward.ts";
export type {
  Link,
  Mapping,
  Publish,
  Rate,
  Refusal,
  ServerLimits,
  ServerProtocol,
} from "./server-protocol.ts";
