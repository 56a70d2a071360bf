import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, onTestFinished } from "vitest";

const BARRIER = "BARRIER=1";

/** Node has no sockets for datagrams of this kind. */
const RECEIVER = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    text, descriptors, _, _ = socket.recv_fds(s, 65536, 8)
    # Whoever waits to be heard has sent one, and waits until it is closed.
    for descriptor in descriptors:
        os.close(descriptor)
    print(text.decode(), flush=True)
`;

const runs = (command: string) => spawnSync(command, ["--version"]).status === 0;

export const describeWithServiceManager = (name: string, suite: () => void) =>
  describe.skipIf(!runs("python3") || !runs("systemd-notify"))(
    `${name} (needs systemd-notify and python3)`,
    suite,
  );

/** Listens as systemd does, until the end of the test. */
export async function startServiceManager(): Promise<{
  socket: string;
  told: () => string[];
  /** Whether whoever has told something waits until it has been heard. */
  isWaitedFor: () => boolean;
}> {
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
  const lines = () => text.split("\n").slice(1, -1);
  return {
    socket,
    told: () => lines().filter((line) => line !== BARRIER),
    isWaitedFor: () => lines().includes(BARRIER),
  };
}
