import { closeSync, writeSync } from "node:fs";
import { join } from "node:path";
import { CONFIG_DIR, DATA_DIR, LOCK_FILE, VERSION } from "./constants.ts";
import { run } from "./main.ts";
import { termination } from "./termination.ts";
