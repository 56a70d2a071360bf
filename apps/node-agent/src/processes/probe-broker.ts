// Exit code 0: the broker of the configuration in this file answers, or it names none, so that no outage can be told from
// a mistake. 1: it does not.

import { readFileSync } from "node:fs";
import { brokerOf } from "@ivy/backends";
import { brokerAnswers } from "@ivy/messaging/forwarder";
import { loadForeignConfigFromString, MQTTBrokerConfig } from "@ivy/types";
import { CONFIG_DIR } from "../constants.ts";

const [, , file = ""] = process.argv;
const { backend } = loadForeignConfigFromString(readFileSync(file, "utf8"), file) as {
  backend?: { mqtt_connection?: unknown } | null;
};
const connection = MQTTBrokerConfig.safeParse(backend?.mqtt_connection);
const answers = connection.success
  ? await brokerAnswers(brokerOf(connection.data, CONFIG_DIR), AbortSignal.timeout(20_000)).catch(() => false)
  : true;
process.exit(answers ? 0 : 1);
