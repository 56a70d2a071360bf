export type { BrokerConnection } from "./forward/broker.ts";
export { brokerAnswers } from "./forward/broker-answers.ts";
export { forward } from "./forward/forward.ts";
export type { ForwardOptions, LinkEvent } from "./forward/forward-options.ts";
export type { ForwarderLog } from "./forward/forwarder-log.ts";
export type {
  Link,
  Mapping,
  Publish,
  Rate,
  Refusal,
  ServerLimits,
  ServerProtocol,
} from "./forward/server-protocol.ts";
export type { Timeouts } from "./forward/timeouts.ts";
export { tryBroker } from "./forward/try-broker.ts";
