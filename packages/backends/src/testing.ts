export { hasMosquitto, type Mosquitto, type MosquittoOptions, startMosquitto } from "@ivy/messaging/testing";
export {
  complaintAbout,
  type TentaAcknowledgment,
  type TentaKind,
  type TentaLog,
  type TentaMeasurement,
} from "./testing/tenta-contract.ts";
export {
  startTentaServer,
  type TentaArrival,
  type TentaServer,
  type TentaServerOptions,
} from "./testing/tenta-server.ts";
export type {
  ChunkFault,
  ChunkRequest,
  PackageAssignment,
} from "./testing/thingsboard/packages.ts";
export type {
  RpcAnswer,
  ThingsBoardConnection,
  ThingsBoardFaults,
  ThingsBoardLimits,
  ThingsBoardServerOptions,
} from "./testing/thingsboard/server-state.ts";
export {
  type ReadTelemetry,
  readTelemetry,
  type ThingsBoardTelemetry,
} from "./testing/thingsboard/telemetry.ts";
export {
  type RpcOptions,
  startThingsBoardServer,
  type ThingsBoardServer,
} from "./testing/thingsboard-server.ts";
