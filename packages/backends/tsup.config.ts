import { library } from "@ivy/tooling/tsup";
import { defineConfig } from "tsup";

export default defineConfig(
  library({
    index: "src/index.ts",
    mqtt: "src/mqtt.ts",
    tenta: "src/tenta.ts",
    thingsboard: "src/thingsboard.ts",
    testing: "src/testing.ts",
  }),
);
