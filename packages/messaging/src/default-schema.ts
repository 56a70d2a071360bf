// Loaded when it is needed: that takes 11 ms and 2 MB, and what is sound can be told without.
export { MessageBody } from "@ivy/types";
