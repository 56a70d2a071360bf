import { once } from "node:events";
import { MessagingAgent } from "@ivy/messaging";
import { importReadings } from "./import-readings.ts";
import { measure } from "./measure.ts";
import { type Options, readCommandLine, USAGE } from "./options.ts";
import { drop, waiting } from "./queue.ts";
import { Reading, type Readings } from "./reading.ts";

const ended = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => ended.abort());

try {
  const { command, argument, options } = readCommandLine();
  const onIncident = (text: string) => console.error(text);
  const readings = new MessagingAgent({ dataDir: options.data, schema: Reading, onIncident });
  try {
    await perform(command, argument, readings, options);
  } finally {
    await readings.teardown();
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function perform(
  command: string,
  argument: string,
  readings: Readings,
  options: Options,
): Promise<void> {
  const { signal } = ended;
  switch (command) {
    case "measure":
      return measure(readings, options.station, options.seconds, signal);
    case "import":
      return console.log(`${await importReadings(readings, options.station, argument)} imported`);
    case "watch":
      readings.observe(signal, ({ message_body }) => console.log(JSON.stringify(message_body)));
      await once(signal, "abort");
      return;
    case "waiting":
      for (const line of waiting(readings, 10)) console.log(line);
      return;
    case "drop":
      return console.log(`${drop(readings, Number(argument))} given up`);
    case "forward": {
      // Only here, so that the other commands load no MQTT.
      const { forwardReadings } = await import("./forward-readings.ts");
      return forwardReadings(readings, options, signal);
    }
    default:
      throw new Error(USAGE);
  }
}
