export { StateInterface, type StateOptions } from "./state-interface.ts";
