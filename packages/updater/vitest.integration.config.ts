import { suite } from "@ivy/tooling/vitest";
import { defineConfig } from "vitest/config";

export default defineConfig(suite("integration"));
