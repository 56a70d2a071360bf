// Loaded when it is needed: that takes 7 ms and 1.3 MB, and what is sound can be told without. From the module alone,
// for of an index that is loaded late a bundle holds everything.
export { MessageBody } from "@ivy/types/messages";
