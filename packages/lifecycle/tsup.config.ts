import { library } from "../../tsup.config.base.ts";

export default library({
  index: "src/index.ts",
  child: "src/child.ts",
});
