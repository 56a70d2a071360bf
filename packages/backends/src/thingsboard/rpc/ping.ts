import { checked, NoParams } from "./method.ts";

/** Whether the node is there. */
export const ping = checked({ params: NoParams, perform: () => ({ answer: { pong: true } }) });
