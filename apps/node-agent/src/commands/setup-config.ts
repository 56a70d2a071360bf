import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { type ForeignConfig, loadForeignConfigFromString, parseConfig } from "@ivy/types";
import { AgentConfig } from "../agent-config.ts";
import type { Answers, SetUpAnswers } from "./setup-answers.ts";

/** Revision of a configuration that no server has sent: whatever a server sends is higher. */
const FIRST_REVISION = 0;

export interface ConfigSource {
  answers: Answers;
  given: Pick<SetUpAnswers, "config">;
  /** What there is no question for is as in the template. */
  templateFile: string;
  version: string;
}

/**
 * The configuration with which a node begins.
 *
 * @throws Error which says what is not known, ConfigError which says what cannot be so
 */
export async function firstConfig({
  answers,
  given,
  templateFile,
  version,
}: ConfigSource): Promise<ForeignConfig> {
  const file = given.config ?? templateFile;
  const base = loadForeignConfigFromString(readFileSync(file, "utf8"), file);
  const config = given.config === undefined ? await asked(base, answers) : base;
  config.general.software_version = version;
  parseConfig(config, "The configuration", AgentConfig);
  return config;
}

async function asked(template: ForeignConfig, answers: Answers): Promise<ForeignConfig> {
  const identifier = await answers.text("systemIdentifier", "Name of this system at the server", hostname());
  const backend = await askBackend(answers, identifier);
  const updater = await askUpdater(answers);
  answers.check();
  const general = { ...template.general, config_revision: FIRST_REVISION, system_identifier: identifier };
  return { ...template, general, backend, updater };
}

async function askBackend(answers: Answers, identifier: string): Promise<object | null> {
  const provider = await answers.choice(
    "backend",
    "Kind of the server",
    [
      { value: "tenta", label: "Tenta" },
      { value: "thingsboard", label: "ThingsBoard" },
      { value: "mqtt", label: "any MQTT broker" },
      { value: "none", label: "none: keep everything on this node" },
    ],
    "tenta",
  );
  if (provider === "none") return null;
  const host = await answers.text("host", "Host name or address of the broker");
  const tls = (await answers.choice("tls", "Does the broker speak TLS?", YES_OR_NO, "no")) === "yes";
  const port = Number(await answers.text("port", "TCP port of the broker", tls ? "8883" : "1883"));
  const client_id = await answers.text("clientId", "MQTT client identifier", identifier);
  const username = await answers.text("username", "MQTT user name (empty: none)", "");
  const secret = await answers.secret(
    "passwordFile",
    provider === "thingsboard" && username === ""
      ? "Access token of the device"
      : "MQTT password (empty: none)",
  );
  const login = loginOf(provider, username, secret);
  return { provider, mqtt_connection: { host, port, client_id, ...login, ...(tls ? { tls: {} } : {}) } };
}

const YES_OR_NO = [
  { value: "no", label: "no" },
  { value: "yes", label: "yes" },
] as const;

/** The access token of a device at ThingsBoard is its user name. */
function loginOf(provider: string, username: string, secret: string): object {
  if (provider === "thingsboard" && username === "" && secret !== "") return { username: secret };
  return { ...(username === "" ? {} : { username }), ...(secret === "" ? {} : { password: secret }) };
}

async function askUpdater(answers: Answers): Promise<object | null> {
  const provider = await answers.choice(
    "updateFrom",
    "Where new versions of the software come from",
    [
      { value: "none", label: "nowhere: this version stays" },
      { value: "github", label: "GitHub" },
      { value: "gitlab", label: "GitLab" },
      { value: "git", label: "any host that git can clone from" },
    ],
    "none",
  );
  if (provider === "none") return null;
  const usual = { github: "github.com", gitlab: "gitlab.com", git: undefined }[provider];
  const provider_host = await answers.text("updateHost", "Host name of the code host", usual);
  const repository = await answers.text("repository", "Repository, like orgname/reponame");
  const access_token = await answers.secret(
    "accessTokenFile",
    "Access token for the repository (empty: none)",
  );
  return { repository, provider, provider_host, access_token: access_token || null };
}
