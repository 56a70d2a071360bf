import { join } from "node:path";
import { MessagingAgent } from "@ivy/messaging";
import { CONFIG_DIR, DATA_DIR, LOCK_FILE, NAME, VERSION } from "./constants.ts";
import { startDevelopmentBroker } from "./development-broker.ts";
import { createConfig, refuseRealServer, withDevelopmentBroker } from "./development-config.ts";
import { run } from "./main.ts";
import { termination } from "./termination.ts";

const configFile = join(CONFIG_DIR, "config.json");
const signal = termination();

try {
  if (createConfig(configFile, join(CONFIG_DIR, "config.template.json"))) {
    say("ivy", `created ${configFile} from the template`);
  }
  if (!process.env["IVY_DATA_DIR"]) refuseRealServer(configFile);
  await using broker = await startDevelopmentBroker((topic, payload) =>
    say("broker received", `${topic} ${payload}`),
  );
  say("ivy", `a development broker listens on 127.0.0.1:${broker.port}; end everything with Ctrl-C`);
  new MessagingAgent({ dataDir: DATA_DIR }).observe(signal, ({ message_body: body }) => {
    if (body.variant === "data") say("measured", JSON.stringify(body.data));
  });
  await run({
    configFile,
    configDir: CONFIG_DIR,
    dataDir: DATA_DIR,
    lockFile: LOCK_FILE,
    name: NAME,
    version: VERSION,
    signal,
    adapt: (config) => withDevelopmentBroker(config, broker.port),
  });
  say("ivy", "everything has ended");
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

function say(who: string, what: string): void {
  process.stdout.write(`${who.padEnd(16)} ${what}\n`);
}
