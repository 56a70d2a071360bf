import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "@ivy/types";
import { AgentConfig } from "../../agent-config.ts";
import { type Check, failure, ok, skipped, warning } from "../check.ts";

const READABLE_BY_OTHERS = 0o077;

const sound: Check = {
  name: "configuration",
  look: ({ configFile }) => {
    try {
      loadConfig(configFile, AgentConfig);
      return ok(`${configFile} is sound`);
    } catch (error) {
      const text = (error as Error).message.replaceAll(/\n\s*/g, " ");
      return failure(text, "edit the file; `config check` and `config explain KEY` tell what is allowed");
    }
  },
};

const rights: Check = {
  name: "configuration-rights",
  look: ({ configFile }) => {
    if (!existsSync(configFile)) return skipped("there is no configuration");
    return isPrivate(configFile)
      ? ok("only its owner can read the configuration")
      : failure("other users can read the passwords in the configuration", `chmod 600 ${configFile}`);
  },
};

/** Files beside the configuration that hold secrets, by their names. */
const SECRET_FILE = /^\.env$|\.pending\.json$|\.(key|minisec)$/;

const secretFiles: Check = {
  name: "secret-files",
  look: ({ configDir, config }) => {
    const named = config?.backend?.mqtt_connection.tls?.key_file;
    const names = existsSync(configDir)
      ? readdirSync(configDir).filter((name) => SECRET_FILE.test(name))
      : [];
    const files = [...names, ...(named === undefined ? [] : [named])].map((name) => join(configDir, name));
    const open = [...new Set(files)].filter((file) => existsSync(file) && !isPrivate(file));
    return open.length === 0
      ? ok("only their owner can read files with secrets")
      : failure(`other users can read ${open.join(", ")}`, `chmod 600 ${open.join(" ")}`);
  },
};

const softwareVersion: Check = {
  name: "software-version",
  look: ({ config, version }) => {
    if (config === undefined) return skipped("there is no configuration that can be used");
    const wanted = config.general.software_version;
    return wanted === version
      ? ok(`version ${version} runs, as the configuration says`)
      : warning(
          `version ${version} is installed, the configuration is for ${wanted}`,
          `set general.software_version to ${version}, or update the software`,
        );
  },
};

/** A public key of minisign: two bytes for the algorithm, eight for the number of the key, 32 for the key. */
const KEY_BYTES = 42;

const signatureKeys: Check = {
  name: "signature-keys",
  look: ({ config }) => {
    const keys = config?.updater?.trusted_keys ?? [];
    const wrong = keys.filter((key) => {
      const bytes = Buffer.from(key, "base64");
      return bytes.length !== KEY_BYTES || bytes.toString("latin1", 0, 2) !== "Ed";
    });
    if (wrong.length > 0)
      return failure(
        `${wrong.length} of ${keys.length} trusted keys is no public key of minisign`,
        "put the second line of the file minisign.pub into updater.trusted_keys",
      );
    return ok(keys.length === 0 ? "no key is trusted: releases need no signature" : `${keys.length} trusted`);
  },
};

function isPrivate(file: string): boolean {
  return (statSync(file).mode & READABLE_BY_OTHERS) === 0;
}

export const CONFIG_CHECKS = [sound, rights, secretFiles, softwareVersion, signatureKeys];
