import { library } from "@ivy/tooling/tsup";
import { defineConfig } from "tsup";

export default defineConfig(
  library({
    index: "src/index.ts",
    "dummy-procedure": "src/dummy-procedure.ts",
    "system-checks": "src/system-checks.ts",
  }),
);
