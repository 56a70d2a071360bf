/** What lies on the disk: each has a value that a running process reads, and one that survives a power cut. */
export interface Disk {
  active: "G" | "N" | "nothing";
  good: "G" | "N";
  /** Tree of N: 0 nothing, 1 a part, 2 complete. */
  code: number;
  seal: number;
  /** Attempts of N that are counted, and those whose end is noted. */
  attempts: number;
  ended: number;
  /** Attempts whose end is noted as an orderly stop of the launcher; these are not among those that have ended. */
  stopped: number;
  /** The last attempt could not go on for a reason that is not its own. */
  grace: number;
  /** The trial's time is spent. */
  spent: number;
  verdict: number;
  /** What the agent remembers of the change: 1 accepted, 2 rejected. */
  outcome: number;
  /** The tree of G is whole. */
  oldTree: number;
}

export type Cell = keyof Disk;

/** Where the launcher is, in the names of its functions; `undefined` where it does not run. */
export type Launcher =
  | "end_processes"
  | "make_durable"
  | "choose"
  | "count"
  | "sync count"
  | "start"
  | "watch"
  | "wait"
  | "deadline"
  | "note"
  | "sync note"
  | "stop"
  | "note stop"
  | "sync stop"
  | "verdict"
  | "sync verdict"
  | "move back"
  | "create back"
  | "sync back";

export type Agent = { of: "G" | "N"; at: string };

export interface State {
  disk: Disk;
  durable: Disk;
  launcher: Launcher | undefined;
  agent: Agent | undefined;
  /** Attempts that a power cut ended; and those that it, or a stop, ended and that do not count because they had grace. */
  powerless: number;
  excused: number;
  /** Starts of N before it was committed. */
  starts: number;
  /** What the server was told. */
  accepted: boolean;
  rejected: boolean;
}

/** A generation N beside G; the launcher has just been started. */
export function initialState(): State {
  const disk: Disk = {
    active: "G",
    good: "G",
    code: 0,
    seal: 0,
    attempts: 0,
    ended: 0,
    stopped: 0,
    grace: 0,
    spent: 0,
    verdict: 0,
    outcome: 0,
    oldTree: 1,
  };
  return {
    disk,
    durable: disk,
    launcher: "end_processes",
    agent: undefined,
    powerless: 0,
    excused: 0,
    starts: 0,
    accepted: false,
    rejected: false,
  };
}

export function keyOf({ disk, durable, launcher, agent, ...rest }: State): string {
  return [
    ...Object.values(disk),
    ...Object.values(durable),
    launcher,
    agent?.of,
    agent?.at,
    ...Object.values(rest),
  ].join();
}

/** A state with these changes of what a running process sees. */
export function write(state: State, change: Partial<Disk>): State {
  return { ...state, disk: { ...state.disk, ...change } };
}

export function sync(state: State, ...cells: Cell[]): State {
  const durable = { ...state.durable };
  for (const cell of cells) Object.assign(durable, { [cell]: state.disk[cell] });
  return { ...state, durable };
}

export function syncAll(state: State): State {
  return { ...state, durable: state.disk };
}

/** Every state that a power cut may leave: each record that is not synced is kept or lost, whatever becomes of the others. */
export function afterPowerCut(state: State): State[] {
  const cells = (Object.keys(state.disk) as Cell[]).filter(
    (cell) => state.disk[cell] !== state.durable[cell],
  );
  return Array.from({ length: 2 ** cells.length }, (_, kept) => {
    const disk = { ...state.durable };
    for (const [index, cell] of cells.entries())
      if ((kept >> index) & 1) Object.assign(disk, { [cell]: state.disk[cell] });
    return reboot(state, disk);
  });
}

/** Attempts without a noted end were made in an earlier boot from now on. */
function reboot(state: State, disk: Disk): State {
  const ended = Math.min(disk.ended, disk.attempts);
  const known = ended + disk.stopped + state.powerless + state.excused;
  const open = Math.max(0, disk.attempts - known);
  const excused = disk.grace === 1 && open > 0 ? 1 : 0;
  const left = { ...disk, ended, grace: 0 };
  return {
    ...state,
    disk: left,
    durable: left,
    launcher: undefined,
    agent: undefined,
    powerless: state.powerless + open - excused,
    excused: state.excused + excused,
  };
}
