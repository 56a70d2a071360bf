import * as z from "zod/mini";
import { about, wholeNumber } from "./about.ts";
import { isAddressWithUser, secret } from "./secret.ts";

const SourceConflictStrategy = z.enum(["overwrite", "reuse"]);

const timeOfDay = (title: string, description: string, example: string) =>
  z
    .string()
    .check(
      z.regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time of day like 02:30"),
      about({ title, description, example }),
    );

export const MaintenanceWindowConfig = z
  .strictObject({
    from: timeOfDay("Begin", "Local time at which new versions may begin to be put in force", "02:30"),
    to: timeOfDay(
      "End",
      "Local time from which on they wait for the next day; before `from`, it is that of the next morning",
      "04:00",
    ),
  })
  .check(
    z.refine(({ from, to }) => from !== to, {
      error:
        "must not be the time of `from`: such a window never opens; without maintenance_window it is always open",
      path: ["to"],
    }),
  );
export type MaintenanceWindowConfig = z.infer<typeof MaintenanceWindowConfig>;

export const UpdaterConfig = z
  .strictObject({
    repository: z.string().check(
      z.regex(/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)+$/, "must be a repository like orgname/reponame"),
      about({
        title: "Repository",
        description: "Repository of the source code at the code host",
        example: "tum-esm/ivy",
      }),
    ),
    provider: z.enum(["github", "gitlab", "git"]).check(
      about({
        title: "Kind of code host",
        description: "Kind of the code host; `git` is any host that git can clone from",
        example: "github",
      }),
    ),
    provider_host: z
      .string()
      .check(
        z.minLength(3),
        z.regex(/^[A-Za-z0-9.-]+(:\d{1,5})?$/, "must be a host name like github.com"),
        about({ title: "Code host", description: "Host name of the code host", example: "github.com" }),
      ),
    remote: z
      .optional(
        z.string().check(
          z.refine((remote) => !isAddressWithUser(remote), {
            error: "must not have a user name or password before the host: give the token as access_token",
          }),
        ),
      )
      .check(
        about({
          title: "Git remote",
          description:
            "For the provider git: what to clone from, if it is not https://PROVIDER_HOST/REPOSITORY.git; may be an ssh remote",
          example: "git@git.example.org:field/ivy.git",
        }),
      ),
    access_token: z
      .optional(
        z.nullable(
          secret(
            z
              .string()
              .check(
                z.minLength(3),
                z.maxLength(256),
                z.regex(/^[\x21-\x7e]*$/, "must be letters, digits and signs without a space or line break"),
              ),
          ),
        ),
      )
      .check(
        about({
          title: "Access token",
          description: "Access token for the code host; null or left out for a public repository",
          example: "an-access-token",
        }),
      ),
    source_conflict_strategy: z.optional(SourceConflictStrategy).check(
      about({
        title: "What to do with a version that is there",
        description:
          "Whether a version that is installed and proven already is used again (`reuse`, also if left out) or fetched anew (`overwrite`)",
        example: "reuse",
      }),
    ),
    source_conflict_behaviour: z.optional(SourceConflictStrategy).check(
      about({
        title: "What to do with a version that is there (old name)",
        description: "What source_conflict_strategy is called in the template of Python Ivy 1.1.0",
        example: "reuse",
      }),
    ),
    trusted_keys: z.optional(z.array(z.string().check(z.minLength(1)))).check(
      about({
        title: "Trusted keys",
        description:
          "Public keys (minisign) of which one must have signed a release; without any, none needs to be signed",
        example: ["RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"],
      }),
    ),
    spread_seconds: z._default(
      wholeNumber(0, 86_400, {
        title: "Spread of a fleet",
        description:
          "A new version is fetched after a part of this time, each system after its own, so that a fleet does not come at once",
        unit: "seconds",
        example: 3_600,
      }),
      300,
    ),
    maintenance_window: z.optional(MaintenanceWindowConfig).check(
      about({
        title: "Maintenance window",
        description: "When a new version may be put in force; at any time without it",
        example: { from: "02:30", to: "04:00" },
      }),
    ),
    trial_seconds: z._default(
      wholeNumber(30, 3_600, {
        title: "Trial of a version",
        description: "How long a new version has to prove that it works",
        unit: "seconds",
        example: 600,
      }),
      300,
    ),
    config_trial_seconds: z._default(
      wholeNumber(15, 3_600, {
        title: "Trial of a configuration",
        description: "How long a new configuration has to prove that it works",
        unit: "seconds",
        example: 120,
      }),
      60,
    ),
    allow_downgrade: z._default(
      z.boolean().check(
        about({
          title: "Lower versions allowed",
          description: "Whether a configuration may name a version lower than the one that runs",
          example: false,
        }),
      ),
      true,
    ),
    kept_versions: z._default(
      wholeNumber(1, 10, {
        title: "Kept versions",
        description: "Proven versions that are kept besides the one that runs",
        unit: "versions",
        example: 2,
      }),
      1,
    ),
  })
  .check(
    z.refine(
      (updater) =>
        updater.source_conflict_strategy === undefined || updater.source_conflict_behaviour === undefined,
      {
        error: "is the old name of source_conflict_strategy: keep one of the two",
        path: ["source_conflict_behaviour"],
      },
    ),
    z.refine(({ provider, remote }) => provider === "git" || remote === undefined, {
      error: 'is for the provider "git" alone',
      path: ["remote"],
    }),
  );
export type UpdaterConfig = z.infer<typeof UpdaterConfig>;
