import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Stands in for `node:child_process` where it is hardly ever used. */
export default {
  get spawn() {
    return (require("node:child_process") as typeof import("node:child_process")).spawn;
  },
};
