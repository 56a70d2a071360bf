import { existsSync, lstatSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { MessagingAgent } from "@ivy/messaging";
import { type Generation, readGeneration } from "../../src/root/generation.ts";
import { type RootPaths, rootPaths } from "../../src/root/paths.ts";
import { readPointer } from "../../src/root/pointers.ts";
import { checkManifest, readSeal } from "../../src/root/seal.ts";
import { readVerdict } from "../../src/root/trial.ts";
import { CHANGES, type ChangeName } from "./changes.ts";

/** How often a new generation is started at most, where one attempt at most was ended by a power cut. */
const MOST_STARTS = 3;

/** What a generation consists of, besides its records. */
const LINKS = ["version", "runtime", "main", "cli"];

/** What is wrong with the records after a fault, before anything is started again: I1, I2, I3, I5, I7, I11. */
export function problemsOfImage(root: string, change: ChangeName, mayBeDamaged: boolean): string[] {
  const paths = rootPaths(root);
  const good = generationOf(paths, "lastGood");
  const active = generationOf(paths, "active");
  return [
    ...(active === undefined && !mayBeDamaged ? ["I1: active names nothing that can be started"] : []),
    ...(good === undefined
      ? ["I2: last-good names nothing that can be started"]
      : treeProblems(paths, good, "I2: last-good")),
    ...(good?.revision === 2 && CHANGES[change].behaviour !== "works"
      ? ["I7: a generation that has not proven itself is last-good"]
      : []),
    ...(active !== undefined && !mayBeDamaged ? treeProblems(paths, active, "I3: active") : []),
    ...unfinished(paths),
  ];
}

/** What says of itself that it is complete, and is not: whoever finds it will use it. */
function unfinished(paths: RootPaths): string[] {
  const folders = readdirSync(paths.root).map((name) => join(paths.root, name));
  const versions = folders.filter((folder) => readSeal(folder) !== undefined);
  const generations = namesIn(paths.generations).filter((name) => readGeneration(paths, name) !== undefined);
  return [
    ...versions.flatMap((folder) => {
      const mismatch = checkManifest(folder, "content");
      return mismatch === undefined ? [] : [`I5: ${basename(folder)} is sealed, and ${mismatch}`];
    }),
    ...generations.flatMap((name) =>
      LINKS.filter((link) => !isLink(join(paths.generations, name, link))).map(
        (link) => `I5: the generation ${name} has no ${link}`,
      ),
    ),
  ];
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** What is wrong when it has settled: I4, I5, I6, I8, I9, I10. */
export function problemsOfEnd(
  root: string,
  change: ChangeName,
  said: readonly string[],
  powerCuts: number,
): string[] {
  const paths = rootPaths(root);
  const told = toldOf(root);
  const starts = said.filter((line) => line.startsWith("started new in trial")).length;
  const [active, good] = [generationOf(paths, "active"), generationOf(paths, "lastGood")];
  const expected = CHANGES[change].behaviour === "works" ? "accepted" : "rejected";
  const isNew = good?.revision === 2;
  const verdict = good && readVerdict(paths, good.name);
  return [
    ...(active?.name !== good?.name || good === undefined ? ["I9: it has not settled"] : []),
    ...(told.length !== 1 ? [`I6: the server is told: ${told.join(", ") || "nothing"}`] : []),
    ...(told.includes(expected) ? [] : [`I10: it was not ${expected}`]),
    ...(told.includes("accepted") !== isNew
      ? [`I5: ${told.join()}, and revision ${good?.revision} is in force`]
      : []),
    ...(verdict === undefined ? [] : ["I6: there is a verdict on what is in force"]),
    ...(starts > MOST_STARTS + powerCuts ? [`I4: the new generation was started ${starts} times`] : []),
    ...(said.includes("two agents") ? ["I8: two agents ran"] : []),
    ...(good === undefined ? [] : treeProblems(paths, good, "I11: last-good")),
  ];
}

/** What became of the change, each time that it is stored for the server. */
export function toldOf(root: string): ("accepted" | "rejected")[] {
  const { data } = rootPaths(root);
  const log = join(data, "messages");
  const days = new Set(namesIn(log).map((name) => name.slice(0, 10)));
  const messages = new MessagingAgent({ dataDir: data });
  return [...days]
    .flatMap((day) => messages.loadMessageArchive(day, { urgentOnly: true }))
    .flatMap(({ message_body: body }) => {
      if (body.variant !== "config" || body.config.general.config_revision !== 2) return [];
      return body.status === "accepted" || body.status === "rejected" ? [body.status] : [];
    });
}

function generationOf(paths: RootPaths, pointer: "active" | "lastGood"): Generation | undefined {
  const name = readPointer(paths, pointer);
  return name === undefined ? undefined : readGeneration(paths, name);
}

function treeProblems({ root }: RootPaths, { version }: Generation, what: string): string[] {
  const mismatch = checkManifest(join(root, version), "content");
  return mismatch === undefined ? [] : [`${what}: ${mismatch}`];
}
