import { once } from "node:events";
import { UpdateDeferredError, UpdateRejectedError } from "../errors.ts";
import type { PreparationReport, PreparationRequest } from "./preparation.ts";
import { prepareVersion } from "./prepare-version.ts";

/** Runs this process as the one that prepares a version, for the main process that has started it. */
export async function runPreparation(): Promise<void> {
  const ended = new AbortController();
  process.on("SIGTERM", () => ended.abort());
  process.on("disconnect", () => ended.abort());
  const [request] = (await once(process, "message")) as [PreparationRequest];
  try {
    await prepareVersion(request, {
      signal: ended.signal,
      onStep: (step, text) => tell({ kind: "step", step, text }),
    });
    tell({ kind: "ready" });
  } catch (error) {
    tell(failure(error));
  }
  process.disconnect();
}

function failure(error: unknown): PreparationReport {
  if (error instanceof UpdateRejectedError) {
    const { step, code, message, output } = error;
    return { kind: "rejected", step, code, message, ...(output === undefined ? {} : { output }) };
  }
  if (error instanceof UpdateDeferredError) {
    const { step, code, message, retryAfterSeconds } = error;
    return {
      kind: "deferred",
      step,
      code,
      message,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    };
  }
  // What nobody has foreseen, a broken disk say, tells nothing about the version.
  const message = error instanceof Error ? error.message : String(error);
  return { kind: "deferred", step: "check", code: "IVY_PREPARATION_FAILED", message };
}

function tell(report: PreparationReport): void {
  process.send?.(report);
}
