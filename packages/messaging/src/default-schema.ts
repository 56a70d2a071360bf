// Loaded when it is needed: that takes 7 ms and 1.3 MB, and what is sound can be told without.
export { MessageBody } from "@ivy/types";
