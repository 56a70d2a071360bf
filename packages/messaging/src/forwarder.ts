export type { BrokerConnection } from "./broker-connection.ts";
export { type ForwardOptions, forward } from "./forward.ts";
export type { Mapping, Publish, Refusal, ServerProtocol } from "./server-protocol.ts";
