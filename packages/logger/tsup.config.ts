import { library } from "@ivy/tooling/tsup";
import { defineConfig } from "tsup";

export default defineConfig(
  library({
    index: "src/index.ts",
    read: "src/read.ts",
  }),
);
