import * as z from "zod/mini";
import { GeneralConfig } from "./general-config.ts";
import { Version } from "./version.ts";

/** What this version must find in a configuration for any version, its own or another. */
export const ForeignGeneralConfig = z.looseObject({
  config_revision: GeneralConfig.shape.config_revision,
  software_version: Version,
});
export type ForeignGeneralConfig = z.infer<typeof ForeignGeneralConfig>;

/** A configuration for any version of the software; whatever else it holds is kept as it is. */
export const ForeignConfig = z.looseObject({ general: ForeignGeneralConfig });
export type ForeignConfig = z.infer<typeof ForeignConfig>;
