import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";

const PROGRAM = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"].find(existsSync);

/** Whether this machine has mosquitto; suites that need it are left out where not. */
export const hasMosquitto = PROGRAM !== undefined;

export interface MosquittoOptions {
  /** The only user that may connect; everybody may if left out. */
  user?: { username: string; password: string };
  /** Speaks TLS instead of MQTT in clear. PEM files each. */
  tls?: {
    certFile: string;
    keyFile: string;
    /** The authority that clients' certificates must be from; they need none if left out. */
    clientCaFile?: string;
  };
  /** Closes the connection of a client that sends a larger packet than this, in bytes. */
  largestPacket?: number;
}

/** A broker of one's own on loopback. Its persistent sessions and retained messages outlive a restart. */
export interface Mosquitto extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Ends it as an operator would. */
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it on its port again. */
  start(): Promise<void>;
}

/** Starts mosquitto on a free port of loopback, with its data in a temporary folder. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), "ivy-mosquitto-"));
  const port = await freePort();
  const configFile = join(folder, "mosquitto.conf");
  writeFileSync(configFile, configuration(folder, port, options));
  let broker = await launch(configFile, port);
  const end = async (signal: NodeJS.Signals) => {
    if (broker.exitCode !== null || broker.signalCode !== null) return;
    broker.kill(signal);
    await once(broker, "exit");
  };
  return {
    host: "127.0.0.1",
    port,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    async start() {
      broker = await launch(configFile, port);
    },
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configuration(folder: string, port: number, options: MosquittoOptions): string {
  const { user, tls, largestPacket } = options;
  const passwordFile = join(folder, "passwords");
  if (user !== undefined) {
    execFileSync("mosquitto_passwd", ["-b", "-c", passwordFile, user.username, user.password], {
      stdio: "ignore",
    });
  }
  return [
    `listener ${port} 127.0.0.1`,
    ...(tls === undefined ? [] : tlsConfiguration(tls)),
    ...(largestPacket === undefined ? [] : [`max_packet_size ${largestPacket}`]),
    user === undefined ? "allow_anonymous true" : `allow_anonymous false\npassword_file ${passwordFile}`,
    // As root it would change its user, who may not read the folder.
    "user root",
    "persistence true",
    `persistence_location ${folder}/`,
    "autosave_on_changes true",
    "autosave_interval 1",
    "max_queued_messages 0",
    "set_tcp_nodelay true",
    "",
  ].join("\n");
}

function tlsConfiguration({
  certFile,
  keyFile,
  clientCaFile,
}: NonNullable<MosquittoOptions["tls"]>): string[] {
  const server = [`certfile ${certFile}`, `keyfile ${keyFile}`];
  return clientCaFile === undefined
    ? server
    : [...server, `cafile ${clientCaFile}`, "require_certificate true"];
}

async function launch(configFile: string, port: number): Promise<ChildProcess> {
  if (PROGRAM === undefined) throw new Error("mosquitto is not installed: apt-get install mosquitto");
  const broker = spawn(PROGRAM, ["-c", configFile], { stdio: "ignore" });
  while (!(await accepts(port))) {
    if (broker.exitCode !== null) throw new Error(`mosquitto has ended with exit code ${broker.exitCode}`);
    await sleep(10);
  }
  return broker;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
