import type { Command } from "commander";

const EXAMPLE = `
Examples:
  $ git tag v4.5.6 && ivy sign-release 4.5.6 --key ~/keys/ivy.key
  writes ivy-release.json and ivy-release.json.minisig: upload both to the release v4.5.6 of GitHub or GitLab.

  $ ivy sign-release 4.5.6 --key ~/keys/ivy.key --store && git push origin v4.5.6 refs/ivy/releases/v4.5.6
  for nodes with the provider "git": they find the two files in the repository.

  $ git archive --prefix=ivy-4.5.6/ --output ivy-4.5.6.tar.gz v4.5.6
  $ ivy sign-release 4.5.6 --key ~/keys/ivy.key --archive ivy-4.5.6.tar.gz --output ivy-4.5.6.tar.gz.json
  for a USB stick: take the three files along.`;

export function addSignRelease(program: Command): void {
  program
    .command("sign-release")
    .description("Sign a version that has a tag, for nodes with updater.trusted_keys.")
    .argument("<version>", "version like 4.5.6; its tag is v4.5.6 or 4.5.6")
    .requiredOption("--key <file>", "secret key, as the command keygen makes it")
    .option("--repository <folder>", "git repository with the tag", ".")
    .option("--archive <file>", "archive that the release brings along, to be checked by its SHA-256")
    .option(
      "--output <file>",
      "where to write the manifest; its signature goes to FILE.minisig",
      "ivy-release.json",
    )
    .option("--store", "also lay both into the repository, as refs/ivy/releases/TAG")
    .addHelpText("after", EXAMPLE)
    .action(async (version: string, options) =>
      (await import("./sign-release/sign.ts")).sign(version, options),
    );
}
