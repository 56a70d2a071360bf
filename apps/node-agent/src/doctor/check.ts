import type { BrokerConnection } from "@ivy/messaging/forwarder";
import type { AgentConfig } from "../agent-config.ts";
import type { StatusReport } from "../status/schema.ts";
import type { System } from "./system.ts";

/** What a check has found. */
export interface Finding {
  result: "ok" | "warning" | "failure" | "skipped";
  /** What is so, in one line. */
  text: string;
  /** How to mend it, in one line; for a warning and a failure. */
  mend?: string;
}

/** Everything that the checks look at. */
export interface Patient {
  projectDir: string;
  /** Where secrets lie, and what the paths of certificates are relative to. */
  configDir: string;
  configFile: string;
  dataDir: string;
  /** Folder of all versions; the same as `projectDir` for a checkout. */
  root: string;
  /** Version of this software. */
  version: string;
  /** The configuration in force; `undefined` where it cannot be used, which one check tells. */
  config: AgentConfig | undefined;
  status: StatusReport;
  system: System;
  /** Logs in at the broker and returns how long its answer took, in milliseconds; see `tryBroker` of @ivy/messaging. */
  tryLogin: (broker: BrokerConnection) => Promise<number>;
}

export interface Check {
  /** A word or two, for machines too. */
  name: string;
  look(patient: Patient): Finding | Promise<Finding>;
}

export const ok = (text: string): Finding => ({ result: "ok", text });
export const skipped = (text: string): Finding => ({ result: "skipped", text });
export const warning = (text: string, mend: string): Finding => ({ result: "warning", text, mend });
export const failure = (text: string, mend: string): Finding => ({ result: "failure", text, mend });
