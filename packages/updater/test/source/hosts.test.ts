import { UpdaterConfig } from "@ivy/types";
import { describe, expect, it } from "vitest";
import { chooseHost } from "../../src/source/hosts/choose-host.ts";

const host = (updater: Record<string, unknown>) =>
  chooseHost(
    UpdaterConfig.parse({
      provider: "github",
      provider_host: "github.com",
      repository: "field/ivy",
      ...updater,
    }),
  );

describe("the address of an archive", () => {
  it("is that of the API of GitHub", () => {
    const { url } = host({}).archive({ tag: "v1.2.0-rc.1" });
    expect(url).toBe("https://api.github.com/repos/field/ivy/tarball/refs/tags/v1.2.0-rc.1");
  });

  it("is that of a GitHub Enterprise of one's own", () => {
    const { url } = host({ provider_host: "code.example.com:8443" }).archive({ commit: "c0ffee" });
    expect(url).toBe("https://code.example.com:8443/api/v3/repos/field/ivy/tarball/c0ffee");
  });

  it("is that of a project of GitLab, also in a subgroup", () => {
    const gitlab = { provider: "gitlab", provider_host: "gitlab.example.com", repository: "field/sub/ivy" };
    const { url } = host(gitlab).archive({ tag: "v1.2.0" });
    expect(url).toBe(
      "https://gitlab.example.com/api/v4/projects/field%2Fsub%2Fivy/repository/archive.tar.gz?sha=v1.2.0",
    );
  });

  it("never contains the token", () => {
    for (const provider of ["github", "gitlab"]) {
      const { archive, credentials } = host({ provider, access_token: "canary" });
      expect(JSON.stringify([archive({ tag: "v1.0.0" }), archive({ commit: "c0ffee" })])).not.toContain(
        "canary",
      );
      expect(Object.values(credentials)[0]).toContain("canary");
    }
  });

  it("is not made of a repository that would lead elsewhere in the API", () => {
    expect(() => host({ repository: "field/../../users" })).toThrow(
      expect.objectContaining({ code: "IVY_REPOSITORY_INVALID" }),
    );
  });
});
