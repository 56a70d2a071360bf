import { examine, type NamedFinding } from "../../doctor/examine.ts";
import { say, sayJson } from "../say.ts";
import { thisNode } from "./this-node.ts";

const DEGRADED = 4;

export interface DoctorOptions {
  all?: boolean;
  json?: boolean;
}

export async function printFindings({ all, json }: DoctorOptions): Promise<void> {
  const findings = await examine(await thisNode());
  const isWell = !findings.some(isIll);
  if (json) sayJson({ schema: 1, state: isWell ? "well" : "degraded", checks: findings });
  else {
    for (const finding of findings.filter((one) => all || isIll(one))) sayFinding(finding);
    const count = (result: string) => findings.filter((one) => one.result === result).length;
    say(
      `${findings.length} checks: ${count("ok")} ok, ${count("warning")} warnings, ${count("failure")} failures, ` +
        `${count("skipped")} skipped`,
    );
  }
  // A check that hangs must not keep the command from ending.
  process.exit(isWell ? 0 : DEGRADED);
}

function sayFinding({ name, result, text, mend }: NamedFinding): void {
  say(`${result.padEnd(8)} ${name.padEnd(21)} ${text}`);
  if (mend !== undefined) say(`${" ".repeat(31)}mend: ${mend}`);
}

function isIll({ result }: NamedFinding): boolean {
  return result === "warning" || result === "failure";
}
