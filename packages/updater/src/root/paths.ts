import { join } from "node:path";

/** Where everything lies below the root of a node in the field. */
export interface RootPaths {
  root: string;
  /** The static launcher, which no update ever touches. */
  launcher: string;
  /** Held (`flock`) by the launcher for as long as it guards an agent. */
  lock: string;
  /** Link to the generation to start: the CLI pointer. */
  active: string;
  /** Link to the last generation that has proven that it works. A trial is running if and only if it differs from `active`. */
  lastGood: string;
  /** What the agent writes; belongs to no version. */
  data: string;
  /** `.env`, certificates, and configurations that wait; belongs to no version. */
  config: string;
  /** Pairs of a version and a configuration, each a folder that never changes. */
  generations: string;
  /** What came of the starts of unproven generations. */
  trials: string;
  /** Journal of the change under way: to be lost without harm. */
  journal: string;
  /** Where a change is prepared. */
  stage: string;
  /** Archives of versions that somebody at the node has given. */
  inbox: string;
  /** What is to be deleted: renamed first, so that nothing half deleted has a name that counts. */
  trash: string;
  /** Store of pnpm. */
  store: string;
}

/** @param name - name of the software, from which the launcher has its name */
export function rootPaths(root: string, name = "ivy"): RootPaths {
  const own = join(root, ".ivy");
  return {
    root,
    launcher: join(root, `${name}-cli.sh`),
    lock: join(root, "run.lock"),
    active: join(root, "active"),
    lastGood: join(root, "last-good"),
    data: join(root, "data"),
    config: join(root, "config"),
    generations: join(own, "gen"),
    trials: join(own, "trial"),
    journal: join(own, "txn.json"),
    stage: join(own, "stage"),
    inbox: join(own, "inbox"),
    trash: join(own, "trash"),
    store: join(own, "store"),
  };
}

/** Folder of a version: its source code with everything that it needs to run. */
export function versionFolder({ root }: Pick<RootPaths, "root">, version: string): string {
  return join(root, version);
}
