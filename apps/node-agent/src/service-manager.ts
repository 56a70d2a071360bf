import { type Notification, notifySystemd, watchdogMs } from "./notify-systemd.ts";
import { describeLink, describeProcess } from "./status/describe-live.ts";
import type { LiveStatus } from "./status/live.ts";
import { problemsOfLink, problemsOfProcess } from "./status/problems.ts";

/** Changes that come together are told together, in milliseconds. */
const TOGETHER_MS = 500;

/** A process that makes no progress is taken down; one that is still there so much later shows that this has failed. */
const TAKEN_DOWN_MS = 120_000;

export interface ServiceManagerOptions {
  read: () => LiveStatus;
  /** Whether the main loop does not come round any more. */
  mainLoopHangs: () => boolean;
}

/**
 * Keeps the service manager informed: that the agent is ready, how it fares in one sentence, that it ends, and that it
 * lives. It is told the latter only while the main loop and every process make progress.
 */
export class ServiceManager implements Disposable {
  readonly #options: ServiceManagerOptions;
  readonly #feeder: NodeJS.Timeout | undefined;
  #told: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    const ms = watchdogMs();
    // The watch begins with the start of the unit, and the first feed would come late.
    this.#tell(["READY=1", "WATCHDOG=1"]);
    // Thrice in the time, for one may be late.
    if (ms !== undefined) this.#feeder = setInterval(() => this.#feed(), ms / 3).unref();
  }

  /** Something has changed. */
  changed(): void {
    if (this.#ended) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tell([]);
    }, TOGETHER_MS).unref();
  }

  /** The unit is to end, as somebody has asked for: systemd does not take this back, whatever it is told afterwards. */
  stopping(): void {
    this[Symbol.dispose]();
    notifySystemd(["STOPPING=1", "STATUS=Ends its processes, and sends what it may still send"]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    clearInterval(this.#feeder);
    this.#ended = true;
  }

  #feed(): void {
    const { read, mainLoopHangs } = this.#options;
    const hung = mainLoopHangs() ? "the main loop" : stuckProcess(read());
    if (hung === undefined) this.#tell(["WATCHDOG=1"]);
    else notifySystemd([`STATUS=Hangs: ${hung} makes no progress`]);
  }

  #tell(notifications: readonly Notification[]): void {
    const sentence = sentenceOf(this.#options.read());
    const news: Notification[] = sentence === this.#told ? [] : [`STATUS=${sentence}`];
    this.#told = sentence;
    if (notifications.length + news.length > 0) notifySystemd([...notifications, ...news]);
  }
}

/** One true sentence. */
export function sentenceOf(live: LiveStatus): string {
  const processes = Object.entries(live.processes);
  const link = describeLink(live);
  const [problem] = [
    ...processes.flatMap(([name, process]) => problemsOfProcess(name, describeProcess(process))),
    ...problemsOfLink(link),
  ];
  if (problem !== undefined) return problem;
  const running = processes.filter(([, { state }]) => state === "running");
  // Procedures may share one.
  const pids = new Set(running.map(([, { pid }]) => pid));
  const connection = link?.connected === true ? ", connected to the server" : "";
  return `Revision ${live.revision}: ${pids.size} processes run${connection}`;
}

/** A process that should have been taken down and was not. */
function stuckProcess({ processes }: LiveStatus): string | undefined {
  const stuck = Object.entries(processes).find(([, { dueInMs = 0 }]) => -dueInMs > TAKEN_DOWN_MS);
  return stuck?.[0];
}
