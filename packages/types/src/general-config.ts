import * as z from "zod/mini";
import { about, text, wholeNumber } from "./about.ts";
import { Version } from "./version.ts";

/** The largest revision that the servers accept. */
export const MAX_REVISION = 2 ** 31 - 1;

export const GeneralConfig = z.strictObject({
  config_revision: wholeNumber(-1, MAX_REVISION, {
    title: "Revision",
    description:
      "Revision of this file, counted up with every change; messages carry it. -1: no server has sent a configuration yet",
    example: 17,
  }),
  software_version: Version.check(
    about({
      title: "Version of the software",
      description: "Version of the software that this configuration is for; another one is fetched",
      example: "2.0.0",
    }),
  ),
  software_commit: z
    .optional(z.string().check(z.regex(/^[0-9a-f]{40}$/, "must be the 40 hexadecimal digits of a commit")))
    .check(
      about({
        title: "Commit",
        description: "Commit that the tag of this version must stand for; not checked without",
        example: "0123456789abcdef0123456789abcdef01234567",
      }),
    ),
  system_identifier: text({
    title: "Name of this system",
    description: "Name of this system at the server; for Tenta the sensor identifier",
    example: "my-system-1",
  }),
});
export type GeneralConfig = z.infer<typeof GeneralConfig>;
