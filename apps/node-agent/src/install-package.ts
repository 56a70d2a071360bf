import type { InstallPackage } from "@ivy/backends/thingsboard";

/** Takes over a package that the server has assigned: this version of the agent cannot put another in its place. */
export const installPackage: InstallPackage = async ({ title, version }) => ({
  outcome: "refused",
  code: "VERSION_CHANGE_UNSUPPORTED",
  reason: `this node cannot change its software to ${title} ${version} by itself`,
});
