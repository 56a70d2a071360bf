/**
 * A signal that aborts when this process is asked to end: SIGTERM, SIGINT (Ctrl-C), SIGHUP (the terminal is gone).
 * Asking again changes nothing; the teardown is under way and bounded in time.
 */
export function termination(): AbortSignal {
  const ended = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
    process.on(signal, () => ended.abort(signal));
  return ended.signal;
}
