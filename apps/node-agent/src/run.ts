import { tellUp, tolerateLostOutput } from "@ivy/lifecycle";
import { isJournal, withPriority } from "@ivy/logger";
import { CONFIG_DIR, CONFIG_FILE, DATA_DIR, LOCK_FILE, NAME, VERSION } from "./constants.ts";
import { run } from "./main.ts";
import { nodeSite } from "./node-site.ts";
import { termination } from "./termination.ts";

/** What `start` of the CLI adds: somebody waits to be told that the main loop is up. */
const inBackground = process.argv.includes("--background");

/** Exit code of programs whose configuration is wrong (`sysexits.h`): trying again does not help. */
const EX_CONFIG = 78;

tolerateLostOutput();
try {
  let told = !inBackground;
  await run({
    configFile: CONFIG_FILE,
    configDir: CONFIG_DIR,
    dataDir: DATA_DIR,
    lockFile: LOCK_FILE,
    name: NAME,
    version: VERSION,
    site: nodeSite(),
    safeMode: process.env["IVY_SAFE_MODE"] === "1",
    signal: termination(),
    up: () => {
      if (!told) tellUp();
      told = true;
    },
  });
} catch (error) {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  // What a person can mend is said in words; everything else with the place where it happened.
  const known = typeof code === "string" && code.startsWith("IVY_");
  const text = `${error instanceof Error ? (known ? error.message : error.stack) : error}\n`;
  process.stderr.write(isJournal(process.stderr.fd) ? withPriority(text, "ERROR") : text);
  process.exitCode = code === "IVY_CONFIG_INVALID" ? EX_CONFIG : 1;
}
// Nobody guards what is left of an agent that has ended: nothing may keep it alive.
process.exit();
