import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Files of the package that the registry has. */
export const PACKAGE_FILES = 200;

export interface Registry extends AsyncDisposable {
  url: string;
  /** Integrity of its package, `probe` 1.0.0, as a lockfile has it. */
  integrity: string;
  /** What it answers with instead of the package, or does, until it is `undefined` again. */
  instead: Trouble | undefined;
  requests: number;
}

/** A connection may be cut off before an answer, or be kept open without one. */
type Trouble = { status: number; body?: string } | "cuts off" | "says nothing";

/** A package registry on loopback with one package in it. */
export async function startRegistry(): Promise<Registry> {
  const tarball = packProbe();
  const server = createServer((_, response) => {
    registry.requests++;
    const answer = registry.instead ?? { status: 200, body: tarball };
    if (answer === "cuts off") response.socket?.resetAndDestroy();
    else if (answer !== "says nothing") response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const registry: Registry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
    instead: undefined,
    requests: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return registry;
}

function packProbe(): Buffer {
  const work = mkdtempSync(join(tmpdir(), "ivy-probe-"));
  mkdirSync(join(work, "package"));
  writeFileSync(join(work, "package/package.json"), JSON.stringify({ name: "probe", version: "1.0.0" }));
  for (let file = 0; file < PACKAGE_FILES; file++) {
    writeFileSync(join(work, `package/${file}.txt`), `file ${file}\n`.repeat(1_000));
  }
  execFileSync("tar", ["-czf", "probe.tgz", "package"], { cwd: work });
  const tarball = readFileSync(join(work, "probe.tgz"));
  rmSync(work, { recursive: true });
  return tarball;
}

/** Writes the source code of a version that depends on the registry's package. */
export function writeVersion(
  folder: string,
  { integrity }: Pick<Registry, "integrity">,
  {
    kind = "dependencies",
    manifest = {},
  }: { kind?: "dependencies" | "optionalDependencies"; manifest?: object } = {},
): void {
  const agent = join(folder, "apps/node-agent");
  mkdirSync(agent, { recursive: true });
  const write = (file: string, value: object) => writeFileSync(file, JSON.stringify(value));
  write(join(folder, "package.json"), {
    name: "ivy",
    private: true,
    scripts: {
      "node:build": "env; echo the secret is hunter2",
      version_change: 'cat "$IVY_CONFIG_FILE"; exit 1',
    },
    ...manifest,
  });
  write(join(agent, "package.json"), { name: "@ivy/node-agent", [kind]: { probe: "1.0.0" } });
  writeFileSync(
    join(folder, "pnpm-workspace.yaml"),
    "packages:\n  - apps/*\nfetchRetryMintimeout: 10\nfetchRetryMaxtimeout: 10\n",
  );
  writeFileSync(
    join(folder, "pnpm-lock.yaml"),
    `lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .: {}

  apps/node-agent:
    ${kind}:
      probe:
        specifier: 1.0.0
        version: 1.0.0

packages:

  probe@1.0.0:
    resolution: {integrity: ${integrity}}

snapshots:

  probe@1.0.0: ${kind === "dependencies" ? "{}" : "{optional: true}"}
`,
  );
}
