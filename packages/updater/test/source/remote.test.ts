import { UpdaterConfig } from "@ivy/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UpdateRejectedError } from "../../src/errors.ts";
import { gitRemote } from "../../src/source/git/remote.ts";

const HOST = { provider: "git", provider_host: "git.example.com:8443", repository: "group/sub/ivy" } as const;

const remoteOf = (remote?: string) =>
  gitRemote({ ...UpdaterConfig.parse(HOST), ...(remote === undefined ? {} : { remote }) });

describe("the remote of a repository", () => {
  it("is that of the host, if none is named", () => {
    const url = "https://git.example.com:8443/group/sub/ivy.git";
    expect(remoteOf()).toEqual({ url, protocol: "https", origin: "https://git.example.com:8443" });
  });

  it.each([
    ["https://example.com/ivy.git", "https"],
    ["ssh://git@example.com:2222/ivy.git", "ssh"],
    ["git@example.com:group/ivy.git", "ssh"],
    ["/srv/git/ivy.git", "file"],
    ["file:///srv/git/ivy.git", "file"],
  ])("may be %s", (remote, protocol) => {
    expect(remoteOf(remote)).toMatchObject({ url: remote, protocol });
  });

  it.each([
    "ext::sh -c touch% /tmp/pwned",
    "ext::sh",
    "--upload-pack=touch",
    "-oProxyCommand=touch",
    "ssh://-oProxyCommand=touch/ivy",
    "ssh://-l@example.com/ivy",
    "-l@example.com:ivy",
    "git@-oProxyCommand=touch:ivy",
    "git@example.com:-oops",
    "http://example.com/ivy.git",
    "git://example.com/ivy.git",
    "fd::17",
    "ivy.git",
    "../ivy.git",
    "file://example.com/ivy.git",
    "https://example.com/ivy.git\n--upload-pack=touch",
    "",
  ])("must not be %j", (remote) => {
    expect(() => remoteOf(remote)).toThrow(expect.objectContaining({ code: "IVY_REMOTE_INVALID" }));
  });

  it.each([
    "https://me:canary@example.com/ivy.git",
    "https://canary@example.com/ivy.git",
    "HTTPS:canary@example.com/ivy.git",
  ])("must not bring a password or a token as %s does, and no error tells it", (remote) => {
    const attempt = () => remoteOf(remote);
    expect(attempt).toThrow("updater.access_token");
    expect(attempt).not.toThrow("canary");
    const { error } = UpdaterConfig.safeParse({ ...HOST, remote });
    expect(error?.issues).toMatchObject([
      { path: ["remote"], message: expect.stringContaining("access_token") },
    ]);
    expect(JSON.stringify(error?.issues)).not.toContain("canary");
  });

  it("never looks like an option or a program to run, whatever is given", () => {
    const start = fc.constantFrom("", "-", "ext::", "https://", "ssh://", "git@", "/", "file://", "ssh://-");
    fc.assert(
      fc.property(start, fc.string({ unit: "binary-ascii" }), (prefix, rest) => {
        try {
          const { url, protocol } = remoteOf(`${prefix}${rest}`);
          expect(url).not.toMatch(/^-|^[A-Za-z0-9+.-]+::|\s/);
          expect(["https", "ssh", "file"]).toContain(protocol);
        } catch (error) {
          if (!(error instanceof UpdateRejectedError)) throw error;
        }
      }),
    );
  });
});
