export type { ProcedureContext } from "./context.ts";
export {
  type Clock,
  type DatapointOptions,
  forEachDatapoint,
  type LoopContext,
  type Turn,
} from "./for-each-datapoint.ts";
export type { Health } from "./inquiry.ts";
export { getTimeToNextDatapoint } from "./time-to-next-datapoint.ts";
