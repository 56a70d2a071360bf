import { readFileSync, statSync } from "node:fs";
import { isCode } from "@ivy/files";

/** Who owns a file, as `sudo -u` takes it: a name, or the number where there is none. `undefined`: it cannot be seen. */
export function ownerOf(file: string): string | undefined {
  try {
    const { uid } = statSync(file);
    return nameOf(uid) ?? `#${uid}`;
  } catch (error) {
    if (isCode(error, "EACCES", "ENOENT")) return undefined;
    throw error;
  }
}

/** Node has no call for it. Users of a network are not listed there. */
function nameOf(uid: number): string | undefined {
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  return users.map((line) => line.split(":")).find(([, , number]) => number === String(uid))?.[0];
}
