import { suite } from "../../vitest.config.base.ts";

export default suite();
