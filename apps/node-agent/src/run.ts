import { join } from "node:path";
import { ConfigError } from "@ivy/types";
import { CONFIG_DIR, DATA_DIR, LOCK_FILE, VERSION } from "./constants.ts";
import { run } from "./main.ts";
