import { setTimeout as sleep } from "node:timers/promises";
import { type Check, type Finding, failure, type Patient } from "./check.ts";
import { AGENT_CHECKS } from "./checks/agent.ts";
import { CONFIG_CHECKS } from "./checks/config.ts";
import { DATA_CHECKS } from "./checks/data.ts";
import { MACHINE_CHECKS } from "./checks/machine.ts";
import { REPOSITORY_CHECKS } from "./checks/repository.ts";
import { SERVER_CHECKS } from "./checks/server.ts";

export const CHECKS: readonly Check[] = [
  ...CONFIG_CHECKS,
  ...AGENT_CHECKS,
  ...MACHINE_CHECKS,
  ...DATA_CHECKS,
  ...SERVER_CHECKS,
  ...REPOSITORY_CHECKS,
];

/** What a check may take, in milliseconds; they run side by side. */
const CHECK_MS = 12_000;

export interface NamedFinding extends Finding {
  name: string;
}

export interface ExamineOptions {
  /** All if left out. */
  checks?: readonly Check[];
  /** What a check may take, in milliseconds. */
  timeoutMs?: number;
}

/** Looks at everything, in no more time than the slowest check may take. */
export async function examine(
  patient: Patient,
  { checks = CHECKS, timeoutMs = CHECK_MS }: ExamineOptions = {},
): Promise<NamedFinding[]> {
  const over = new AbortController();
  const findings = checks.map(async (check) => {
    const late = sleep(timeoutMs, tookTooLong(timeoutMs), { signal: over.signal });
    return { name: check.name, ...(await Promise.race([look(check, patient), late])) };
  });
  try {
    return await Promise.all(findings);
  } finally {
    over.abort();
  }
}

async function look(check: Check, patient: Patient): Promise<Finding> {
  try {
    return await check.look(patient);
  } catch (error) {
    return failure(
      `it could not be looked at: ${(error as Error).message.replaceAll(/\s*\n\s*/g, " ")}`,
      "run the command as the user of the agent",
    );
  }
}

function tookTooLong(timeoutMs: number): Finding {
  return failure(
    `it took longer than ${timeoutMs / 1_000} s`,
    "see the other checks; try again on an idle machine",
  );
}
