import { LifecycleManager } from "@ivy/lifecycle";
import type { Logger } from "@ivy/logger";
import { secretsOf } from "@ivy/types";
import { AgentConfig } from "./agent-config.ts";
import { type AgentProcess, processesOf } from "./processes.ts";
import { verbosityOf } from "./tools.ts";
