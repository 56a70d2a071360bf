import { parseArgs } from "node:util";
import * as z from "zod";

export const USAGE = `Usage: node src/main.ts [options] COMMAND

  measure        take a reading every --seconds (10), until Ctrl-C
  import FILE    add what a data logger has written down
  watch          print readings as any process adds them, until Ctrl-C
  waiting        print the oldest readings that the broker does not have yet
  drop N         give up the N oldest of them
  forward        send readings to the broker as they come, until Ctrl-C

  --data FOLDER  where readings are kept (data)
  --station NAME name of this station (roof)
  --host HOST, --port PORT, --username NAME, --ca FILE
                 the broker (localhost, 1883); its password is read from STATION_PASSWORD, --ca means TLS`;

const Options = z.object({
  data: z.string(),
  station: z.string(),
  seconds: z.coerce.number().positive(),
  host: z.string(),
  port: z.coerce.number().int().min(1).max(65_535),
  username: z.string().optional(),
  ca: z.string().optional(),
});
export type Options = z.infer<typeof Options>;

/** @throws Error where the command line cannot be understood */
export function readCommandLine(): { command: string; argument: string; options: Options } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: "string", default: "data" },
      station: { type: "string", default: "roof" },
      seconds: { type: "string", default: "10" },
      host: { type: "string", default: "localhost" },
      port: { type: "string", default: "1883" },
      username: { type: "string" },
      ca: { type: "string" },
    },
  });
  const [command = "", argument = ""] = positionals;
  const options = Options.safeParse(values);
  if (!options.success) throw new Error(z.prettifyError(options.error));
  return { command, argument, options: options.data };
}
