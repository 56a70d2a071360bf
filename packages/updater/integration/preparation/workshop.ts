import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { createRepository } from "../../src/testing/repository.ts";
import { Stage, type Take } from "../change/stage.ts";
import { PACKAGE_FILES, type Registry, startRegistry, writeVersion } from "../support/registry.ts";

const REPOSITORY = resolve(import.meta.dirname, "../../../..");

const PROBE = "apps/node-agent/node_modules/probe";

/** A version that becomes runnable only by being built: an archive has no links. */
const MANIFEST = {
  version: "2.0.0",
  ivy: { launcher: 1, runtime: "bin/node", main: "run.mjs", cli: "run.mjs" },
  scripts: {
    "node:build": `mkdir bin && ln -s '${process.execPath}' bin/node && sleep 0.2 && echo 'await import(process.env["IVY_PLAY_AGENT"]);' >run.mjs`,
    version_change: `test -s "$IVY_CONFIG_FILE" && test -x bin/node && sleep 0.2 && test "$(ls ${PROBE} | wc -l)" = ${PACKAGE_FILES + 1}`,
  },
};

/** A stage whose changes are really prepared: from a git remote, with a package of a registry. */
export interface Workshop extends AsyncDisposable {
  stage: Stage;
  registry: Registry;
  /** A node of version 1.0.0 that is about to change to 2.0.0; never started itself. */
  template: Take;
}

export async function openWorkshop(): Promise<Workshop> {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await Stage.build());
  const registry = opened.use(await startRegistry());
  const repository = opened.use(createRepository(join(stage.folder, "repository.git")));
  const source = join(stage.folder, "source");
  mkdirSync(source);
  writeVersion(source, registry, { manifest: MANIFEST });
  repository.release(source, "v2.0.0");
  stage.environment = {
    HOME: stage.folder,
    IVY_PLAY_REMOTE: repository.path,
    IVY_PLAY_PNPM: join(REPOSITORY, "node_modules/pnpm"),
    pnpm_config_registry: registry.url,
  };
  const template = opened.use(stage.take());
  template.setUp("a version that works");
  const kept = opened.move();
  return { stage, registry, template, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
