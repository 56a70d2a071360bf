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
