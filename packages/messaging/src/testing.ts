export { hasMosquitto, type Mosquitto, type MosquittoOptions, startMosquitto } from "./testing/mosquitto.ts";
