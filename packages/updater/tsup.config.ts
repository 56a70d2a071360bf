import { library } from "@ivy/tooling/tsup";
import { defineConfig } from "tsup";

export default defineConfig(
  library({
    index: "src/index.ts",
    child: "src/child.ts",
    paths: "src/root/paths.ts",
    testing: "src/testing.ts",
  }),
);
