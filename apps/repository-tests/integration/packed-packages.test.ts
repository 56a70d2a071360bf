import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./support/commands.ts";
import {
  type Manifest,
  packAll,
  publishedPackages,
  readManifest,
  type Tarballs,
} from "./support/packages.ts";
import { INSTALL_MS, install, temporaryFolder } from "./support/project.ts";

const packages = publishedPackages();
const names = packages.map(({ manifest }) => manifest.name);

/** The condition of this repository: nobody else sets it, and the sources that it names are not packed. */
const OWN_CONDITION = "@ivy/source";

let tarballs: Tarballs;
beforeAll(async () => {
  tarballs = await packAll();
}, INSTALL_MS);
afterAll(() => tarballs[Symbol.dispose]());

/** What is inside the tarball of a package. */
function unpack(name: string) {
  const data = readFileSync(tarballs.byName.get(name) ?? "");
  const packed = createPackageFromTarballData(data);
  const within = `/node_modules/${name}/`;
  const files = packed.listFiles().map((file) => file.slice(within.length));
  const manifest: Manifest = JSON.parse(packed.readFile(`${within}package.json`));
  return { data, packed, files, manifest };
}

describe.each(names)("the packed package %s", (name) => {
  it("holds its licence, its README, its code and the declarations of that, and nothing else", () => {
    const { files } = unpack(name);
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
    expect(files.filter((file) => file.endsWith(".js"))).not.toEqual([]);
    // The launcher is a program for sh, with a page of its own.
    const expected =
      /^(LICENSE|README\.md|package\.json|dist\/[^.]+(\.js|\.d\.ts)|launcher\/(ivy-cli\.sh|README\.md))$/;
    expect(files.filter((file) => !expected.test(file))).toEqual([]);
  });

  it("has everything that it exports, with declarations", () => {
    const { files, manifest } = unpack(name);
    for (const [subpath, targets] of Object.entries(manifest.exports)) {
      if (subpath === "./package.json") continue;
      const { [OWN_CONDITION]: _, ...others } = Object(targets) as Record<string, string>;
      expect(Object.keys(others)).toEqual(["types", "default"]);
      for (const target of Object.values(others)) expect(files).toContain(target.replace(/^\.\//, ""));
    }
  });

  it("names what it needs as a registry has it", () => {
    const { manifest } = unpack(name);
    const ranges = Object.entries(manifest.dependencies ?? {});
    for (const [dependency, range] of ranges) expect(`${dependency} ${range}`).toMatch(/ \^\d+\.\d+\.\d+$/);
    expect(JSON.stringify(manifest)).not.toMatch(/"(workspace|catalog|link|file):/);
  });

  it("has nothing that publint or arethetypeswrong find", async () => {
    const { data, packed, manifest } = unpack(name);
    const tarball = new Uint8Array(data).buffer;
    const { messages } = await publint({ pack: { tarball }, strict: true });
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([]);
    const { problems } = Object(await checkPackage(packed));
    // There is nothing here for those who `require`, nor for resolutions older than `exports`.
    const ours = (problems as { resolutionKind?: string }[]).filter(
      ({ resolutionKind }) => resolutionKind !== "node10" && resolutionKind !== "node16-cjs",
    );
    expect(ours).toEqual([]);
  });
});

describe("in a project that is not this repository", () => {
  const elsewhere = temporaryFolder();
  const { folder } = elsewhere;
  afterAll(() => elsewhere[Symbol.dispose]());

  /** Every way to import something of a package. */
  const subpaths = packages.flatMap(({ manifest: { name, exports } }) =>
    Object.keys(exports)
      .filter((subpath) => subpath !== "./package.json")
      .map((subpath) => join(name, subpath)),
  );

  beforeAll(async () => {
    const dependencies = Object.fromEntries(names.map((name) => [name, "*"]));
    const devDependencies = { "@types/node": "^24.19.2", typescript: "^7.0.2" };
    const manifest = { name: "elsewhere", private: true, type: "module", dependencies, devDependencies };
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    await install(folder, tarballs);
  }, INSTALL_MS);

  it("every subpath of every package can be imported", async () => {
    const imports = subpaths.map((subpath) => `await import(${JSON.stringify(subpath)});`).join("\n");
    await succeed(folder, "node", "--input-type=module", "--eval", imports);
  });

  it.each([
    { module: "nodenext", moduleResolution: "nodenext" },
    { module: "preserve", moduleResolution: "bundler" },
  ])(
    "the declarations are sound, those of dependencies included, with $moduleResolution",
    async (resolution) => {
      const compilerOptions = {
        ...resolution,
        target: "es2024",
        lib: ["es2024"],
        types: ["node"],
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
      };
      const tsconfig = { compilerOptions, include: ["all.ts"] };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
      const imports = subpaths.map(
        (subpath, index) => `export * as p${index} from ${JSON.stringify(subpath)};\n`,
      );
      writeFileSync(join(folder, "all.ts"), imports.join(""));
      await succeed(folder, join(folder, "node_modules/.bin/tsc"), "-p", folder);
    },
  );

  it("whoever only stores loads no MQTT, and whoever only adds no database", async () => {
    writeFileSync(join(folder, "store.mjs"), STORE);
    const { added, read } = JSON.parse(await succeed(folder, "node", "store.mjs"));
    expect(added).toContain("@ivy/messaging");
    expect(added).not.toContain("better-sqlite3");
    expect(read).toEqual(["better-sqlite3"]);
    expect([...added, ...read]).not.toContain("mqtt");
  });
});

/** Adds a message, then reads it; prints which packages each of the two has loaded. */
const STORE = `
  import { registerHooks } from "node:module";
  const loaded = new Set();
  registerHooks({
    load(url, context, next) {
      const [, name] = /.*[/]node_modules[/]((?:@[^/]+[/])?[^/]+)[/]/.exec(url) ?? [];
      if (name !== undefined) loaded.add(name);
      return next(url, context);
    },
  });
  const { MessagingAgent } = await import("@ivy/messaging");
  const agent = new MessagingAgent({ dataDir: "data" });
  await agent.addMessage({ variant: "data", data: { celsius: 21.4 } });
  const added = [...loaded].sort();
  if (agent.getNLatestMessages(1).length !== 1) throw new Error("the message is not there");
  const read = [...loaded].sort().filter((name) => !added.includes(name));
  await agent.teardown();
  console.log(JSON.stringify({ added, read }));
`;

it("every package that is published is packed from a build of now: this package depends on all of them", () => {
  const { devDependencies } = readManifest(join(import.meta.dirname, "..")) as Manifest & {
    devDependencies: Record<string, string>;
  };
  expect(Object.keys(devDependencies)).toEqual(expect.arrayContaining(names));
});
