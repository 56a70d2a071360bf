export { hasMosquitto, type Mosquitto, type MosquittoOptions, startMosquitto } from "./testing/mosquitto.ts";
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
