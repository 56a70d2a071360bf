import { library } from "@ivy/tooling/tsup";
import { defineConfig } from "tsup";

export default defineConfig(
  library({
    index: "src/index.ts",
    // For who shows a configuration and knows no schema: without zod.
    messages: "src/messages.ts",
    secret: "src/secret.ts",
  }),
);
