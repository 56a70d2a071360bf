import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UpdaterConfig } from "@ivy/types";
import { downloadSourceCode, openArchive } from "@ivy/updater";
import { createRepository } from "@ivy/updater/testing";
import { Command } from "commander";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { addKeygen } from "../src/commands/keygen.ts";
import { addSignRelease } from "../src/commands/sign-release.ts";

/** Runs a command as a person would, and returns what it prints. */
async function run(...args: string[]): Promise<string> {
  const printed: string[] = [];
  const write = vi
    .spyOn(process.stdout, "write")
    .mockImplementation((text) => printed.push(String(text)) > 0);
  const program = new Command("ivy").exitOverride();
  addKeygen(program);
  addSignRelease(program);
  try {
    await program.parseAsync(args, { from: "user" });
  } finally {
    write.mockRestore();
  }
  return printed.join("");
}

/** A repository with the tag v4.5.6, a pair of keys, and a place for what comes of it. */
async function prepare() {
  const folder = mkdtempSync(join(tmpdir(), "ivy-signing-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, name);
  mkdirSync(at("source"));
  writeFileSync(at("source/package.json"), '{ "name": "ivy", "version": "4.5.6" }');
  const repository = createRepository(at("repository.git"));
  const release = repository.release(at("source"), "v4.5.6");
  const said = await run("keygen", "--output", at("ivy"));
  const options = ["--key", at("ivy.key"), "--repository", repository.path];
  const publicKey = readFileSync(at("ivy.pub"), "utf8");
  return { at, repository, release, said, options, publicKey, signal: AbortSignal.timeout(50_000) };
}

describe("the commands that make keys and sign releases", () => {
  it("make a secret key that only its owner can read, and say what to put into a configuration", async () => {
    const { at, said, publicKey } = await prepare();
    expect(statSync(at("ivy.key")).mode & 0o777).toBe(0o600);
    expect(said).toContain(`"trusted_keys": ["${publicKey.split("\n")[1]}"]`);
    expect(said).not.toContain(readFileSync(at("ivy.key"), "utf8").split("\n")[1]);
    await expect(run("keygen", "--output", at("ivy"))).rejects.toThrow("choose another --output");
  });

  it("sign a version so that a node fetches it from the repository", async () => {
    const { at, repository, release, options, publicKey, signal } = await prepare();
    const said = await run(
      "sign-release",
      "4.5.6",
      ...options,
      "--output",
      at("ivy-release.json"),
      "--store",
    );
    expect(said).toContain("git push origin v4.5.6 refs/ivy/releases/v4.5.6");
    const updater = UpdaterConfig.parse({
      repository: "field/ivy",
      provider: "git",
      provider_host: "localhost",
      remote: repository.path,
      trusted_keys: [publicKey],
    });
    const source = await downloadSourceCode({ updater, version: "4.5.6", stage: at("stage"), signal });
    expect(source).toMatchObject({ commit: release.commit, treeId: release.tree });
  });

  it("sign an archive so that a node takes it from a USB stick", async () => {
    const { at, repository, release, options, publicKey, signal } = await prepare();
    const [file, manifest] = [at("ivy-4.5.6.tar.gz"), at("ivy-4.5.6.tar.gz.json")];
    writeFileSync(file, repository.archive(release.commit));
    await run("sign-release", "4.5.6", ...options, "--archive", file, "--output", manifest);
    const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
    expect(JSON.parse(readFileSync(manifest, "utf8"))).toMatchObject({
      version: "4.5.6",
      archive_sha256: digest,
    });
    const opened = await openArchive({ file, trustedKeys: [publicKey], stage: at("stage"), signal });
    expect(opened).toMatchObject({ version: "4.5.6", treeId: release.tree });
  });

  it("refuse a version without a tag, and one that no node would take", async () => {
    const { at, repository, options } = await prepare();
    await expect(run("sign-release", "9.9.9", ...options)).rejects.toThrow("git tag v9.9.9");
    symlinkSync("package.json", at("source/link"));
    repository.release(at("source"), "v4.5.7");
    await expect(run("sign-release", "4.5.7", ...options)).rejects.toThrow("has the link or submodule link");
  });

  it.each(["keygen", "sign-release"])("show an example in the help of %s", async (command) => {
    const program = new Command("ivy");
    addKeygen(program);
    addSignRelease(program);
    const found = program.commands.find((one) => one.name() === command);
    let help = "";
    found?.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    expect(help).toMatch(new RegExp(`\\$ .*ivy ${command} `));
  });
});
