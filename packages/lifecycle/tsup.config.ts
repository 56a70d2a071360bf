import { library } from "@ivy/tooling/tsup";
import { defineConfig } from "tsup";

export default defineConfig(
  library({
    index: "src/index.ts",
    child: "src/child.ts",
    clock: "src/clock.ts",
  }),
);
