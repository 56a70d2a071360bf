import type { NodeContext } from "@ivy/lifecycle/child";
import type { InstallPackage } from "./install-package.ts";

/** What the ThingsBoard backend works with: the context of its process, and what installs packages. */
export interface ThingsBoardNode
  extends Pick<NodeContext, "logger" | "messages" | "state" | "dataDir" | "configDir" | "agent"> {
  installPackage: InstallPackage;
}
