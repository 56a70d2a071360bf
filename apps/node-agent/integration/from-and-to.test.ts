import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createTestAuthority } from "@ivy/messaging/testing";
import { createRepository, startReleaseServer } from "@ivy/updater/testing";
import { expect, it, onTestFinished, vi } from "vitest";
import { changed, PASSWORD, SENSOR } from "./support/config.ts";
import { describeWithBroker } from "./support/field.ts";
import { installRoot, stopped } from "./support/root-node.ts";
import { setUpField } from "./support/trial-field.ts";

const PROJECT_DIR = resolve(import.meta.dirname, "../../..");
const TOKEN = "canary-token";

/** The code base as it is, under another version. */
function sourceOf(version: string): string {
  const folder = mkdtempSync(join(tmpdir(), "ivy-source-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: PROJECT_DIR,
    encoding: "utf8",
  });
  for (const file of files.split("\0").filter(Boolean)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(PROJECT_DIR, file), join(folder, file), { verbatimSymlinks: true });
  }
  const manifest = join(folder, "package.json");
  writeFileSync(
    manifest,
    JSON.stringify({ ...JSON.parse(readFileSync(manifest, "utf8")), version }, undefined, 2),
  );
  return folder;
}

describeWithBroker("this code base", () => {
  it("is updated over the air from 1.2.3 to 4.5.6 and back, then to 5.0.0 from another host, and loses no message", {
    timeout: 600_000,
  }, async () => {
    const repository = createRepository();
    onTestFinished(() => repository[Symbol.dispose]());
    repository.release(sourceOf("1.2.3"), "v1.2.3");
    const authority = createTestAuthority();
    onTestFinished(() => authority[Symbol.dispose]());
    const host = await startReleaseServer({ certificate: authority.issue("host"), token: TOKEN });
    onTestFinished(() => host[Symbol.asyncDispose]());
    for (const version of ["4.5.6", "5.0.0"]) {
      const release = repository.release(sourceOf(version), `v${version}`);
      host.releases.push({ repository: "org/repo", ...release, archive: repository.archive(release.commit) });
    }

    const field = await setUpField(onTestFinished);
    const { server, answers } = field;
    const updater = { ...field.updater, provider_host: host.host, access_token: TOKEN };
    const config = changed(field.config, 7, { updater });
    config.general["software_version"] = "1.2.3";
    const node = await installRoot(config, { remote: repository.path, onTestFinished });
    const launcher = node.run({ NODE_EXTRA_CA_CERTS: authority.caFile });
    await server.count("measurements", 1);

    const gitlab = { ...updater, provider: "gitlab" };
    for (const [revision, version, from] of [
      [8, "4.5.6", updater],
      [9, "1.2.3", gitlab],
      [10, "5.0.0", gitlab],
    ] as const) {
      const wanted = changed(config, revision, { updater: from });
      wanted.general["software_version"] = version;
      await server.configure(SENSOR, revision, wanted);
      await vi.waitFor(() => expect(answers(revision)).toEqual([true]), { timeout: 240_000, interval: 250 });
      expect((await node.cli("info")).stdout).toContain(`CLI version: ${version}`);
    }
    for (const [api, tag] of [
      ["/api/v3/", "v4.5.6"],
      ["/api/v4/", "v5.0.0"],
    ] as const)
      expect(host.requests.some(({ path }) => path.startsWith(api) && path.endsWith(tag))).toBe(true);

    const lost = () => {
      const measured = node.archive().filter(({ message_body: body }) => body.variant === "data");
      const arrived = new Set(
        server.arrivals.flatMap(({ element }) => ("value" in element ? [element.timestamp] : [])),
      );
      return measured.filter(({ timestamp }) => !arrived.has(timestamp));
    };
    await vi.waitFor(() => expect(lost()).toEqual([]), { timeout: 60_000, interval: 250 });
    await node.cli("stop");
    expect(Math.max(...field.gaps(node))).toBeLessThan(30);
    expect(host.requests.filter(({ host: at, hasToken }) => at === "storage" && hasToken)).toEqual([]);
    node.expectNowhere(TOKEN, PASSWORD);
    await stopped(launcher);
  });
});
