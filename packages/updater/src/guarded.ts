import { dyingWithParent } from "@ivy/files";

/** Once told that this process has died, it kills its process group, and with it what the command has started. */
const GUARD = ["/bin/sh", "-c", 'trap "kill -KILL 0" TERM; "$@" & wait "$!"', "guard"];

/** A command that leaves nothing running where this process dies; to be started as the leader of a process group. */
export function guarded(command: readonly string[]): string[] {
  return dyingWithParent("TERM", [...GUARD, ...command]);
}
