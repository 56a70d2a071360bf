import type { ForwardOptions } from "./forward-options.ts";
import { LONGEST_TIMER_MS } from "./timeouts.ts";
import { isFilter } from "./topic.ts";
import { ForwarderUsageError, show } from "./usage-error.ts";

/** What an option may be. */
interface Rule {
  allows(value: unknown): boolean;
  text: string;
}

/** A keep-alive has 16 bits in MQTT. */
const LONGEST_KEEP_ALIVE_MS = 65_535_000;
/** So few a second that a timer can still wait for the next one. */
const SLOWEST_RATE = 0.001;

const COUNT: Rule = {
  allows: (value) => Number(value) >= 1 && Number.isSafeInteger(value),
  text: "a whole number from 1 on",
};
const PORT: Rule = {
  allows: (value) => COUNT.allows(value) && Number(value) <= 65_535,
  text: "a whole number from 1 to 65535",
};
const RATE: Rule = {
  allows: (value) => isNumber(value, SLOWEST_RATE, Number.MAX_VALUE),
  text: `a number from ${SLOWEST_RATE} on`,
};
const TEXT: Rule = {
  allows: (value) => typeof value === "string" && value !== "",
  text: "text that is not empty",
};
const FUNCTION: Rule = { allows: (value) => typeof value === "function", text: "a function" };
const SIGNAL: Rule = { allows: (value) => value instanceof AbortSignal, text: "an AbortSignal" };
const ARRAY: Rule = { allows: Array.isArray, text: "an array of topic filters" };
const FILTER: Rule = {
  allows: isFilter,
  text: "a topic filter: text with + for a whole level and # for the last ones",
};

/** @throws ForwarderUsageError for the first option that is not as {@link ForwardOptions} has it */
export function checkOptions<Body>(options: ForwardOptions<Body>): void {
  const { protocol, broker, logger, timeouts = {} } = options;
  check("maxParallelMessages", options.maxParallelMessages, COUNT);
  check("batchSize", options.batchSize, optional(COUNT));
  check("backlogRate", options.backlogRate, optional(RATE));
  check("timeouts.connectMs", timeouts.connectMs, optional(milliseconds(LONGEST_TIMER_MS)));
  check("timeouts.acknowledgementMs", timeouts.acknowledgementMs, optional(milliseconds(LONGEST_TIMER_MS)));
  check("timeouts.keepAliveMs", timeouts.keepAliveMs, optional(milliseconds(LONGEST_KEEP_ALIVE_MS)));
  check("teardown", options.teardown, SIGNAL);
  check("drainSeconds", options.drainSeconds, FUNCTION);
  check("onLink", options.onLink, optional(FUNCTION));
  check("broker.host", broker.host, TEXT);
  check("broker.port", broker.port, PORT);
  check("broker.clientId", broker.clientId, TEXT);
  for (const level of ["debug", "info", "warning", "error"] as const)
    check(`logger.${level}`, logger[level], FUNCTION);
  check("protocol.map", protocol.map, FUNCTION);
  check("protocol.receive", protocol.receive, FUNCTION);
  check("protocol.connected", protocol.connected, optional(FUNCTION));
  check("protocol.subscriptions", protocol.subscriptions, ARRAY);
  for (const [index, filter] of protocol.subscriptions.entries())
    check(`protocol.subscriptions[${index}]`, filter, FILTER);
}

function check(name: string, value: unknown, { allows, text }: Rule): void {
  if (!allows(value)) throw new ForwarderUsageError(`The option ${name} of forward`, show(value), text);
}

function optional({ allows, text }: Rule): Rule {
  return { allows: (value) => value === undefined || allows(value), text: `${text}, or nothing` };
}

function milliseconds(longest: number): Rule {
  return {
    allows: (value) => isNumber(value, 1, longest),
    text: `a number from 1 to ${longest}, in milliseconds`,
  };
}

function isNumber(value: unknown, least: number, most: number): boolean {
  return typeof value === "number" && value >= least && value <= most;
}
