import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { downloadSourceCode } from "../../src/source/download-source-code.ts";
import { FILES, failureOf, REPOSITORY, startHost, TOKEN } from "./support.ts";

describe.each(["github", "gitlab"] as const)("a version at %s", (provider) => {
  it("is fetched from a public repository and unpacked as it was committed", async () => {
    await using host = await startHost();
    const { release, stage } = host;
    const progress: [bytes: number, total?: number][] = [];
    const onProgress = (...told: [bytes: number, total?: number]) => void progress.push(told);
    const source = await downloadSourceCode({ ...host.options({ provider }), onProgress });
    expect(progress.at(-1)).toEqual([release.archive.length, release.archive.length]);
    expect(source).toEqual({ folder: join(stage, "src"), commit: release.commit, treeId: release.tree });
    for (const [name, content] of Object.entries(FILES)) {
      expect(readFileSync(join(source.folder, name), "utf8")).toBe(content);
    }
    expect(readdirSync(stage)).toEqual(["src"]);
  });

  it("is fetched from a private repository, and the token goes to no other host", async () => {
    await using host = await startHost({ token: TOKEN });
    const { release, server } = host;
    const source = await downloadSourceCode({ ...host.options({ provider }), commit: release.commit });
    expect(source.treeId).toBe(release.tree);
    expect(server.requests.filter(({ host }) => host === "api").every(({ hasToken }) => hasToken)).toBe(true);
    expect(server.requests.filter(({ host, hasToken }) => host === "storage" && hasToken)).toEqual([]);
    expect(server.requests.filter(({ path }) => path.includes(TOKEN))).toEqual([]);
  });

  it("is not shown without the token of a private repository", async () => {
    await using host = await startHost({ token: TOKEN });
    const failure = await failureOf(downloadSourceCode(host.options({ provider, access_token: null })));
    expect(failure).toMatchObject({ rejected: true, code: "IVY_TAG_NOT_FOUND" });
    expect(failure.message).toContain("give updater.access_token");
  });

  it("is found by a tag without the letter v", async () => {
    await using host = await startHost();
    host.release.tag = "4.5.6";
    host.server.releases.splice(0, 1, host.release);
    expect((await downloadSourceCode(host.options({ provider }))).treeId).toBe(host.release.tree);
    const pinned = { ...host.options({ provider }), commit: host.release.commit };
    expect((await downloadSourceCode(pinned)).treeId).toBe(host.release.tree);
  });

  it("is refused for good if there is no such tag", async () => {
    await using host = await startHost();
    const failure = await failureOf(downloadSourceCode({ ...host.options({ provider }), version: "9.9.9" }));
    expect(failure).toMatchObject({ rejected: true, step: "fetch", code: "IVY_TAG_NOT_FOUND" });
    expect(failure.message).toContain("neither a tag v9.9.9 nor a tag 9.9.9");
    expect(failure.message).toContain(REPOSITORY);
  });

  it("is refused if its tag stands for another commit than the configuration wants", async () => {
    await using host = await startHost();
    const commit = "0123456789".repeat(4);
    const failure = await failureOf(downloadSourceCode({ ...host.options({ provider }), commit }));
    expect(failure).toMatchObject({ rejected: true, step: "verify", code: "IVY_COMMIT_MISMATCH" });
    expect(failure.message).toContain(host.release.commit);
    expect(existsSync(join(host.stage, "src"))).toBe(false);
  });
});
