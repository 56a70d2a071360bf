export type { BrokerConnection } from "./forward/broker.ts";
export { type ForwardOptions, forward } from "./forward/forward.ts";
export type {
  Link,
  Mapping,
  Publish,
  Rate,
  Refusal,
  ServerLimits,
  ServerProtocol,
} from "./forward/server-protocol.ts";
