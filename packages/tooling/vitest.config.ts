import { defineConfig } from "vitest/config";
import { suite } from "./src/vitest.ts";

export default defineConfig(suite("test"));
