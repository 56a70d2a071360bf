import * as z from "zod/mini";

const PATTERN = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

const SHAPE = "must be a version like 1.2.0 or 1.2.0-rc.1";

/** A version of the software as `MAJOR.MINOR.PATCH`, optionally with a pre-release: `1.2.0`, `1.2.0-rc.1`. */
export const Version = z.string(SHAPE).check(z.regex(PATTERN, SHAPE));
export type Version = z.infer<typeof Version>;
