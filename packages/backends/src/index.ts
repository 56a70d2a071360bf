export { brokerOf } from "./broker.ts";
export { type PublishOptions, publishMqttMessage } from "./publish-mqtt-message.ts";
export { receiveConfig } from "./receive-config.ts";
export { type TentaOptions, tentaProtocol } from "./tenta-protocol.ts";
export { mapToTelemetry, type TelemetryLimits } from "./thingsboard-protocol.ts";
