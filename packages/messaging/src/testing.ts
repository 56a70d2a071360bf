export {
  type CertificateFiles,
  type CertificateOptions,
  createTestAuthority,
  type TestAuthority,
} from "./testing/certificates.ts";
export { type FaultProxy, startFaultProxy } from "./testing/fault-proxy.ts";
export { hasMosquitto, type Mosquitto, type MosquittoOptions, startMosquitto } from "./testing/mosquitto.ts";
