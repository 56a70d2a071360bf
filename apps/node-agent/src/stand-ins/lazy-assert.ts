import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Stands in for `assert` where it is hardly ever used: loading it takes as long as the store. */
export function equal(...args: Parameters<typeof import("node:assert").equal>): void {
  (require("node:assert") as typeof import("node:assert")).equal(...args);
}
