import { library } from "../../tsup.config.base.ts";

export default library({
  index: "src/index.ts",
  "dummy-procedure": "src/dummy-procedure.ts",
  "system-checks": "src/system-checks.ts",
});
