import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, onTestFinished } from "vitest";

/** Node has no sockets for datagrams of this kind. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(s.recv(65536).decode(), flush=True)
`;

const runs = (command: string) => spawnSync(command, ["--version"]).status === 0;

export const describeWithServiceManager = (name: string, suite: () => void) =>
  describe.skipIf(!runs("python3") || !runs("systemd-notify"))(
    `${name} (needs systemd-notify and python3)`,
    suite,
  );

/** Listens as systemd does, until the end of the test. */
export async function startServiceManager(): Promise<{ socket: string; told: () => string[] }> {
  const folder = mkdtempSync(join(tmpdir(), "ivy-notify-"));
  const socket = join(folder, "notify");
  const receiver = spawn("python3", ["-c", RECEIVER, socket], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => {
    receiver.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  let text = "";
  receiver.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await once(receiver.stdout, "data");
  return { socket, told: () => text.split("\n").slice(1, -1) };
}
