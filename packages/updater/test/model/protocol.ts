import { type Agent, afterPowerCut, type Launcher, type State, sync, syncAll, write } from "./state.ts";

/** How often an unproven generation is started at most; small, for the number of states grows with it. */
export const ATTEMPTS = 2;
/** More than of the others, or a stop that is counted as one of them would not show. */
export const POWER_ATTEMPTS = 3;

/** How the new version behaves. */
export const BEHAVIOURS = [
  /** Healthy long before its time is over. */
  "prompt",
  /** Healthy when its time is nearly over. */
  "slow",
  "crashes",
  "hangs",
  /** Healthy or not, as it happens. */
  "flaky",
  /** Cannot be started. */
  "broken",
  /** Ends the machine's run in each attempt. */
  "reboots",
  /** Healthy, but nobody can reach the broker for a while. */
  "outage",
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** Ways to get the protocol wrong; each must be found. */
export const MISTAKES = [
  "a pointer is removed and created instead of renamed",
  "the seal is written before the tree is synced",
  "an attempt is not synced",
  "an attempt is counted after the start",
  "accepted is reported before the commit is durable",
  "the launcher does not sync before it decides",
  "the launcher leaves what was started before it",
  "the launcher goes back without a verdict",
  "the old version is deleted before the commit",
  "neither launcher nor agent syncs a seal that is seen",
  "attempts that a power cut ends are not counted",
  "attempts that an orderly stop ends are not counted",
  "an orderly stop is counted as an end by itself",
  "the deadline takes no notice of grace",
  "a trial begins although its attempt cannot be recorded",
  "a newer configuration is looked at before what is in force",
] as const;
export type Mistake = (typeof MISTAKES)[number];

export interface Step {
  name: string;
  to: State;
}

export interface Variant {
  behaviour: Behaviour;
  /** Nothing strikes but orderly stops. */
  stopsOnly?: boolean;
  mistake?: Mistake;
}

const TRIAL = ["prune", "T0", "grace", "T1", "T2"];

/** What may happen next without a fault. */
export function steps(state: State, variant: Variant): Step[] {
  return [...launcherSteps(state, variant), ...agentSteps(state, variant)];
}

function launcherSteps(state: State, { behaviour, mistake }: Variant): Step[] {
  const { disk, agent } = state;
  const to = (launcher: Launcher | undefined, change: Partial<State> = {}): State => ({
    ...state,
    ...change,
    launcher,
  });
  const step = (name: string, next: State): Step[] => [{ name: `launcher: ${name}`, to: next }];
  switch (state.launcher) {
    case undefined:
      return step("is started", to("end_processes"));
    case "end_processes":
      return step(
        "ends what was left",
        to(
          "make_durable",
          mistake === "the launcher leaves what was started before it" ? {} : { agent: undefined },
        ),
      );
    case "make_durable":
      return step("syncs", { ...durableFor(state, mistake), launcher: "choose" });
    case "choose":
      return step("decides", decide(state, { behaviour, ...(mistake && { mistake }) }));
    case "count":
      return step("counts an attempt", {
        ...write(state, { attempts: disk.attempts + 1, grace: 0 }),
        launcher: "sync count",
      });
    case "sync count":
      return step("syncs the attempt", {
        ...(mistake === "an attempt is not synced" ? state : sync(state, "attempts", "grace")),
        launcher: mistake === "an attempt is counted after the start" ? "watch" : "start",
      });
    case "start": {
      const at = mistake === "the old version is deleted before the commit" ? "prune" : "T0";
      const launcher = mistake === "an attempt is counted after the start" ? "count" : "watch";
      return step("starts the trial", to(launcher, { agent: { of: "N", at }, starts: state.starts + 1 }));
    }
    case "watch":
      if (agent === undefined) return step("sees the agent's end", to("deadline"));
      if (agent.at === "S1") return step("sees the commit", to("wait"));
      return timeIsOver(agent, behaviour, mistake)
        ? step("kills the agent, for its time is over", {
            ...write(state, { spent: 1 }),
            agent: undefined,
            launcher: "deadline",
          })
        : [];
    case "deadline":
      // The commit may have come just before.
      return step("looks once more", to(disk.good === "N" ? "end_processes" : "note"));
    case "note":
      return step("notes the end", { ...write(state, { ended: disk.ended + 1 }), launcher: "sync note" });
    case "sync note":
      return step("syncs the end", { ...sync(state, "ended", "spent"), launcher: "end_processes" });
    case "stop":
      // As at the deadline. The launcher has ended where the commit has won.
      return step("looks once more, for it is to end", to(disk.good === "N" ? undefined : "note stop"));
    case "note stop":
      return step("notes that it was stopped", {
        ...(disk.grace === 1 ? state : write(state, noteOfStop(disk, mistake))),
        launcher: "sync stop",
      });
    case "sync stop":
      return step("syncs that, and ends", {
        ...sync(state, "ended", "stopped", "grace"),
        excused: state.excused + disk.grace,
        launcher: undefined,
      });
    case "wait":
      return agent === undefined ? step("sees the agent's end", to("end_processes")) : [];
    case "verdict":
      return mistake === "the launcher goes back without a verdict"
        ? step("writes nothing", to("move back"))
        : step("writes the verdict", { ...write(state, { verdict: 1 }), launcher: "sync verdict" });
    case "sync verdict":
      return step("syncs the verdict", { ...sync(state, "verdict"), launcher: "move back" });
    case "move back":
      return mistake === "a pointer is removed and created instead of renamed"
        ? step("removes active", { ...write(state, { active: "nothing" }), launcher: "create back" })
        : step("moves active back", { ...write(state, { active: disk.good }), launcher: "sync back" });
    case "create back":
      return step("creates active", { ...write(state, { active: disk.good }), launcher: "sync back" });
    case "sync back":
      return step("syncs active", { ...sync(state, "active"), launcher: "end_processes" });
  }
}

function durableFor(state: State, mistake: Mistake | undefined): State {
  if (mistake === "the launcher does not sync before it decides") return state;
  if (mistake === "neither launcher nor agent syncs a seal that is seen")
    return sync(state, "active", "good", "attempts", "verdict");
  return syncAll(state);
}

function decide(state: State, { behaviour, mistake }: Variant): State {
  const { active, good, seal, verdict, attempts, stopped, spent } = state.disk;
  const at = (launcher: Launcher): State => ({ ...state, launcher });
  if (active === "nothing" || (active === "N" && seal === 0)) return at("move back");
  if (active === good) return { ...state, launcher: "wait", agent: { of: active, at: "S0" } };
  if (verdict === 1) return at("move back");
  const counted = attempts - stopped - state.powerless - state.excused;
  const cutOff =
    (mistake === "attempts that a power cut ends are not counted" ? 0 : state.powerless) +
    (mistake === "attempts that an orderly stop ends are not counted" ? 0 : stopped);
  if (behaviour === "broken" || counted >= ATTEMPTS || cutOff >= POWER_ATTEMPTS || spent === 1)
    return at("verdict");
  return at(mistake === "an attempt is counted after the start" ? "start" : "count");
}

function noteOfStop({ ended, stopped }: State["disk"], mistake: Mistake | undefined) {
  return mistake === "an orderly stop is counted as an end by itself"
    ? { ended: ended + 1 }
    : { stopped: stopped + 1 };
}

function timeIsOver({ at }: Agent, behaviour: Behaviour, mistake: Mistake | undefined): boolean {
  if (behaviour === "prompt" || !TRIAL.includes(at)) return false;
  if (behaviour !== "outage") return true;
  return at === "grace" && mistake === "the deadline takes no notice of grace";
}

function agentSteps(state: State, variant: Variant): Step[] {
  if (state.agent === undefined) return [];
  return state.agent.of === "G" ? oldAgentSteps(state, variant) : newAgentSteps(state, variant);
}

function oldAgentSteps(state: State, { mistake }: Variant): Step[] {
  const { disk } = state;
  const step = (name: string, at: string | undefined, next = state): Step[] => [
    { name: `old agent: ${name}`, to: { ...next, agent: at === undefined ? undefined : { of: "G", at } } },
  ];
  switch (state.agent?.at) {
    case "S0":
      if (disk.outcome === 2) return [];
      if (disk.verdict === 1) return step("notes that N is rejected", "reject", write(state, { outcome: 2 }));
      if (disk.seal === 1)
        return step(
          "finds the seal",
          mistake === "neither launcher nor agent syncs a seal that is seen" ? "switch" : "generation",
        );
      return step("clears the stage", "install", write(state, { code: 0 }));
    case "reject":
      return step("reports that N is rejected", "discard", { ...sync(state, "outcome"), rejected: true });
    case "discard":
      return step("throws N away", "delete", write(state, { seal: 0 }));
    case "delete":
      return step("syncs that, and deletes N", "S0", write(sync(state, "seal"), { code: 0 }));
    case "install":
      return step("installs a part", "rest", write(state, { code: 1 }));
    case "rest":
      return step(
        "installs the rest",
        mistake === "the seal is written before the tree is synced" ? "seal" : "sync tree",
        write(state, { code: 2 }),
      );
    case "sync tree":
      return step("syncs the tree", "seal", sync(state, "code"));
    case "seal":
      return step("writes the seal", "generation", write(state, { seal: 1 }));
    case "generation":
      return step(
        "creates the generation, durable with the seal",
        "switch",
        mistake === "the seal is written before the tree is synced" ? sync(state, "seal") : syncAll(state),
      );
    case "switch":
      if (mistake === "a pointer is removed and created instead of renamed")
        return step("removes active", "create", write(state, { active: "nothing" }));
      return step("moves active", "sync switch", write(state, { active: "N" }));
    case "create":
      return step("creates active", "sync switch", write(state, { active: "N" }));
    case "sync switch":
      return step("syncs active and ends", undefined, sync(state, "active"));
    // Runs because nothing could be recorded: it prepares nothing, and ends when there is room.
    case "undecided":
      return step("ends, for there is room again", undefined);
    default:
      return [];
  }
}

function newAgentSteps(state: State, { behaviour, mistake }: Variant): Step[] {
  const step = (name: string, at: string | undefined, next = state): Step[] => [
    { name: `new agent: ${name}`, to: { ...next, agent: at === undefined ? undefined : { of: "N", at } } },
  ];
  switch (state.agent?.at) {
    case "prune":
      return step("deletes the old version", "T0", write(state, { oldTree: 0 }));
    case "T0":
      if (behaviour === "outage") return step("has nobody to talk to", "grace", write(state, { grace: 1 }));
      if (behaviour === "reboots")
        return afterPowerCut(state).map((to) => ({ name: "new agent: ends the machine's run", to }));
      return [
        ...(["prompt", "slow", "flaky"].includes(behaviour) ? step("is healthy", "T1") : []),
        ...(["crashes", "flaky"].includes(behaviour) ? step("crashes", undefined) : []),
      ];
    case "grace":
      return step("is healthy when the broker is back", "T1", sync(state, "grace"));
    case "T1":
      return step(
        "moves last-good",
        mistake === "accepted is reported before the commit is durable" ? "early" : "T2",
        write(state, { good: "N" }),
      );
    case "early":
      return step("reports too early that it is accepted", "T2", {
        ...write(state, { outcome: 1 }),
        accepted: true,
      });
    case "T2":
      return step("syncs last-good", "S0", sync(state, "good"));
    case "S0":
      if (state.disk.outcome === 1) return step("runs", "S1");
      return mistake === "a newer configuration is looked at before what is in force"
        ? step("takes it for too low", "S1", { ...write(state, { outcome: 2 }), rejected: true })
        : step("notes that it is accepted", "accept", write(state, { outcome: 1 }));
    case "accept":
      return step("reports that it is accepted", "S1", { ...sync(state, "outcome"), accepted: true });
    default:
      return [];
  }
}

/** What may strike between any two steps. */
export function faults(state: State, { mistake, stopsOnly = false }: Variant): Step[] {
  const { launcher, agent } = state;
  // Anywhere else it is as if both were killed.
  const isTrying = launcher === "watch" && agent?.of === "N";
  const stops: Step[] = isTrying
    ? [{ name: "STOP", to: { ...state, agent: undefined, launcher: "stop" } }]
    : [];
  if (stopsOnly) return stops;
  const kills: Step[] = [
    ...(agent === undefined ? [] : [{ name: "KILL the agent", to: { ...state, agent: undefined } }]),
    ...(launcher === undefined
      ? []
      : [
          { name: "KILL the launcher", to: { ...state, launcher: undefined } },
          { name: "KILL both", to: { ...state, launcher: undefined, agent: undefined } },
        ]),
  ];
  const cuts = afterPowerCut(state).map((to) => ({ name: "POWER CUT", to }));
  return [...stops, ...kills, ...cuts, ...fullDisk(state, mistake)];
}

/** Nothing can be recorded: the old version runs, and the links stay as they are. */
function fullDisk(state: State, mistake: Mistake | undefined): Step[] {
  if (state.launcher === "count" && mistake === "a trial begins although its attempt cannot be recorded") {
    return [{ name: "DISK FULL", to: { ...state, launcher: "start" } }];
  }
  const records: (Launcher | undefined)[] = ["count", "verdict", "move back"];
  if (!records.includes(state.launcher)) return [];
  return [
    {
      name: "DISK FULL",
      to: {
        ...state,
        launcher: "wait",
        agent: { of: state.disk.good, at: state.disk.good === "G" ? "undecided" : "S0" },
      },
    },
  ];
}
