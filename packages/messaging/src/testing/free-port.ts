import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** So many ports below those that the kernel gives out by itself are drawn from. */
const CHOICE = 10_000;

/**
 * A port of loopback on which nobody listens. The kernel gives it neither to whoever asks for any port nor to whoever
 * connects to somewhere, so it is free still after a broker was stopped that is to be started there again.
 */
export async function freePort(): Promise<number> {
  const [first] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s/);
  for (;;) {
    const port = Number(first) - 1 - Math.floor(Math.random() * CHOICE);
    if (await canBeListenedOn(port)) return port;
  }
}

async function canBeListenedOn(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
