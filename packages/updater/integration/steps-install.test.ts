import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type RootPaths, rootPaths, versionFolder } from "../src/root/paths.ts";
import { type InstallOptions, installDependencies } from "../src/steps/install.ts";
import { pnpmOf } from "../src/steps/pnpm.ts";
import { buildVersion, runVersionChangeTests } from "../src/steps/version-steps.ts";
import { PACKAGE_FILES, type Registry, startRegistry, writeVersion } from "./support/registry.ts";

const REPOSITORY = resolve(import.meta.dirname, "../../..");

interface Setting {
  paths: RootPaths;
  registry: Registry;
  /** Writes the source code of a version, and returns what its steps are called with. */
  version(name: string, more?: Partial<InstallOptions>): InstallOptions;
}

async function setting(): Promise<Setting> {
  const paths = rootPaths(mkdtempSync(join(tmpdir(), "ivy-install-")));
  onTestFinished(() => rmSync(paths.root, { recursive: true, force: true }));
  const registry = await startRegistry();
  onTestFinished(() => registry[Symbol.asyncDispose]());
  useRegistry(paths.root, registry.url);
  const env = { HOME: paths.root, GITHUB_TOKEN: "hunter2" };
  const version: Setting["version"] = (name, more) => {
    const folder = versionFolder(paths, name);
    rmSync(folder, { recursive: true, force: true });
    writeVersion(folder, registry);
    const signal = new AbortController().signal;
    return { folder, pnpm: pnpmOf(REPOSITORY), env, secrets: ["hunter2"], signal, paths, ...more };
  };
  return { paths, registry, version };
}

/** pnpm asks the registry that the settings of the user name. */
function useRegistry(home: string, url: string): void {
  writeFileSync(join(home, ".npmrc"), `registry=${url}\n`);
}

/** How many files of the package are in a version, each whole and with no other name. */
function wholeFiles({ folder }: InstallOptions): number {
  const probe = join(folder, "apps/node-agent/node_modules/probe");
  return readdirSync(probe).filter((name) => {
    const file = join(probe, name);
    const whole =
      name === "package.json" || readFileSync(file, "utf8").startsWith(`file ${name.split(".")[0]}\n`);
    return whole && statSync(file).nlink === 1;
  }).length;
}

const ALL = PACKAGE_FILES + 1;

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const deferred = (code: string) => ({ name: "UpdateDeferredError", code });

describe("the dependencies of a version", () => {
  it("are installed once from the registry, then from the store, as files of their own", async () => {
    const { registry, version, paths } = await setting();
    await installDependencies(version("1.0.0"));
    expect(registry.requests).toBe(1);
    const second = version("1.1.0");
    await installDependencies(second);
    expect(registry.requests).toBe(1);
    rmSync(paths.store, { recursive: true });
    expect(wholeFiles(second)).toBe(ALL);
  });

  it("are whole whenever an install before was killed", async () => {
    const { version } = await setting();
    for (let killed = 0; killed < 8; killed++) {
      const signal = AbortSignal.timeout(20 + killed * 40);
      await installDependencies(version("1.0.0", { signal })).catch((error) => {
        expect(error).toMatchObject(deferred("IVY_STOPPED"));
      });
    }
    const whole = version("1.0.0");
    await installDependencies(whole);
    expect(wholeFiles(whole)).toBe(ALL);
  });

  it("are whole though the store has lost the content of its files", async () => {
    const { version, paths } = await setting();
    await installDependencies(version("1.0.0"));
    for (const file of filesBelow(join(paths.store))) if (/\/files\//.test(file)) truncateSync(file);
    const second = version("1.1.0");
    await installDependencies(second);
    expect(wholeFiles(second)).toBe(ALL);
  });

  it("are fetched anew after a power cut in the middle of an install", async () => {
    const { version, paths, registry } = await setting();
    await installDependencies(version("1.0.0"));
    writeFileSync(`${paths.store}.claim`, "another boot");
    const second = version("1.1.0");
    await installDependencies(second);
    expect(registry.requests).toBe(2);
    expect(wholeFiles(second)).toBe(ALL);
  });

  it("are installed and built by the pnpm that is there, whichever the version names", async () => {
    const { version, registry } = await setting();
    const options = version("1.0.0");
    const file = join(options.folder, "package.json");
    const manifest = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ ...manifest, packageManager: "pnpm@10.0.0" }));
    await installDependencies(options);
    await buildVersion(options);
    expect(registry.requests).toBe(1);
    expect(wholeFiles(options)).toBe(ALL);
  });

  it("that do not fit the lockfile are no reason to try again", async () => {
    const { version, registry } = await setting();
    const options = version("1.0.0");
    const agent = { name: "@ivy/node-agent", dependencies: { probe: "1.0.1" } };
    writeFileSync(join(options.folder, "apps/node-agent/package.json"), JSON.stringify(agent));
    const failing = installDependencies(options);
    await expect(failing).rejects.toMatchObject({ name: "UpdateRejectedError", code: "IVY_INSTALL_FAILED" });
    await expect(failing).rejects.toHaveProperty("output", expect.stringContaining("OUTDATED_LOCKFILE"));
    expect(registry.requests).toBe(0);
  });

  it.each<Registry["instead"]>([
    { status: 404 },
    { status: 410 },
    { status: 401 },
    { status: 403 },
    { status: 429 },
    { status: 503 },
    { status: 200, body: "<html>Please log in</html>" },
    "cuts off",
    "says nothing",
  ])(
    "that a registry does not hand out (%o) say nothing of the version, and why is told",
    async (instead) => {
      const { version, registry } = await setting();
      registry.instead = instead;
      const options = version("1.0.0", { fetchRetries: 0, fetchTimeoutMs: 1_000 });
      const failing = installDependencies(options);
      await expect(failing).rejects.toMatchObject(deferred("IVY_REGISTRY_UNREACHABLE"));
      await expect(failing).rejects.toHaveProperty("message", expect.stringContaining("probe"));
      registry.instead = undefined;
      // As patient as it is in the field: it may take a while on a busy machine.
      const { fetchTimeoutMs: _, ...patient } = options;
      await installDependencies(patient);
      expect(wholeFiles(options)).toBe(ALL);
    },
  );

  it.each([404, 503])("that are optional are not left out where a registry answers %i", async (status) => {
    const { version, registry } = await setting();
    const options = version("1.0.0", { fetchRetries: 0 });
    writeVersion(options.folder, registry, { kind: "optionalDependencies" });
    registry.instead = { status };
    await expect(installDependencies(options)).rejects.toMatchObject(deferred("IVY_REGISTRY_UNREACHABLE"));
  });

  it("are there though the registry has answered in the second attempt only", async () => {
    const { version, registry } = await setting();
    registry.instead = "cuts off";
    const onLine = (line: string) => {
      if (line.includes("error sending request")) registry.instead = undefined;
    };
    const options = version("1.0.0", { fetchRetries: 1, onLine });
    const { output } = await installDependencies(options);
    expect(output).toContain("error sending request");
    expect(wholeFiles(options)).toBe(ALL);
  });

  it("that cannot be fetched for want of a network say nothing of the version", async () => {
    const { version, paths } = await setting();
    useRegistry(paths.root, "http://127.0.0.1:9/");
    const failing = installDependencies(version("1.0.0", { fetchRetries: 0 }));
    await expect(failing).rejects.toMatchObject(deferred("IVY_REGISTRY_UNREACHABLE"));
  });

  it("that take too long to be fetched say nothing of the version", async () => {
    const { version } = await setting();
    const failing = installDependencies(version("1.0.0", { timeoutMs: 1 }));
    await expect(failing).rejects.toMatchObject(deferred("IVY_INSTALL_TIMEOUT"));
  });
});

describe("the scripts of a version", () => {
  it("run with its own Node and the configuration that it shall run with, and know no token", async () => {
    const { version, paths } = await setting();
    const options = version("1.0.0");
    const { output } = await buildVersion(options);
    expect(output).toContain(`PATH=${options.folder}/node_modules/.bin:`);
    expect(output).toContain("CI=true");
    expect(output).toContain("the secret is [redacted]");
    expect(output).not.toMatch(/GITHUB_TOKEN|pnpm_config_registry|hunter2/);
    const configFile = join(paths.root, "config.json");
    writeFileSync(configFile, "the configuration");
    await expect(runVersionChangeTests({ ...options, configFile })).rejects.toMatchObject({
      name: "UpdateRejectedError",
      code: "IVY_TEST_FAILED",
      output: expect.stringContaining("the configuration"),
    });
  });
});
