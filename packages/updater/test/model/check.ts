import { ATTEMPTS, faults, POWER_ATTEMPTS, type Step, steps, type Variant } from "./protocol.ts";
import { initialState, keyOf, type Launcher, type State } from "./state.ts";

export interface Finding {
  problem: string;
  /** How it comes to that. */
  trace: string[];
}

export interface Result {
  finding: Finding | undefined;
  states: number;
  /** How it ends. */
  ends: Set<string>;
}

interface Node {
  state: State;
  faultsLeft: number;
  from: Node | undefined;
  step: string;
  next: Node[];
}

/**
 * Goes through every order of steps with at most so many faults between them.
 *
 * @returns the first state that breaks an invariant or from which nothing settles
 */
export function explore(variant: Variant, mostFaults: number): Result {
  const nodes = new Map<string, Node>();
  const ends = new Set<string>();
  const enter = (state: State, faultsLeft: number, from: Node | undefined, step: string): Node => {
    const key = `${faultsLeft},${keyOf(state)}`;
    const known = nodes.get(key);
    if (known !== undefined) return known;
    const node = { state, faultsLeft, from, step, next: [] };
    nodes.set(key, node);
    return node;
  };
  enter(initialState(), mostFaults, undefined, "");
  // Nodes that are entered meanwhile are visited too.
  for (const node of nodes.values()) {
    const problem = brokenInvariant(node.state, variant, mostFaults);
    if (problem !== undefined)
      return { finding: { problem, trace: traceOf(node) }, states: nodes.size, ends };
    const end = settled(node.state);
    if (end !== undefined) ends.add(end);
    const { faultsLeft } = node;
    const follow = ({ name, to }: Step, left: number) => enter(to, left, node, name);
    node.next = steps(node.state, variant).map((step) => follow(step, faultsLeft));
    if (faultsLeft > 0) for (const fault of faults(node.state, variant)) follow(fault, faultsLeft - 1);
  }
  const stuck = firstStuck([...nodes.values()]);
  const finding = stuck && { problem: "I9: it never settles", trace: traceOf(stuck) };
  return { finding, states: nodes.size, ends };
}

function brokenInvariant(
  state: State,
  { behaviour, stopsOnly }: Variant,
  mostFaults: number,
): string | undefined {
  const { disk, agent, launcher } = state;
  const promised = behaviour === "prompt" || behaviour === "outage";
  const few = stopsOnly ? POWER_ATTEMPTS : ATTEMPTS;
  const beside: (Launcher | undefined)[] = ["end_processes", "watch", "wait", "deadline"];
  if (disk.active === "nothing" && launcher === undefined && agent === undefined)
    return "I1: nothing can be started";
  if (agent?.of === "G" && disk.oldTree === 0) return "I3: the old version is started and is not complete";
  if (agent?.of === "N" && disk.code !== 2) return "I3: the new version is started and is not complete";
  if (state.starts > ATTEMPTS + POWER_ATTEMPTS + state.excused)
    return `I4: an unproven version is started ${state.starts} times`;
  if (state.accepted && disk.good === "G")
    return "I5: it was reported accepted, and the old version is the last good one";
  if (state.accepted && state.rejected) return "I6: it was reported accepted and rejected";
  if (state.rejected && disk.good === "N") return "I6: it was reported rejected, and is the last good one";
  if (["crashes", "hangs", "broken", "reboots"].includes(behaviour) && disk.good === "N")
    return "I7: a version that never proved itself is the last good one";
  if (agent !== undefined && launcher !== undefined && !beside.includes(launcher))
    return "I8: an agent runs while the launcher changes records";
  if (promised && mostFaults < few && (disk.verdict === 1 || state.rejected))
    return "I10: a healthy version is rejected after few faults";
  return undefined;
}

function settled({ launcher, agent, disk }: State): string | undefined {
  if (launcher !== "wait") return undefined;
  if (agent?.of === "G" && agent.at === "S0" && disk.outcome === 2) return "old, rejected";
  if (agent?.of === "N" && agent.at === "S1" && disk.outcome === 1) return "new, accepted";
  return undefined;
}

/** The first state from which no settled one can be reached without faults. */
function firstStuck(nodes: readonly Node[]): Node | undefined {
  const before = new Map<Node, Node[]>();
  for (const node of nodes)
    for (const next of node.next) before.set(next, [...(before.get(next) ?? []), node]);
  const settling = new Set(nodes.filter(({ state }) => settled(state) !== undefined));
  for (const node of settling) for (const earlier of before.get(node) ?? []) settling.add(earlier);
  return nodes.find((node) => !settling.has(node));
}

function traceOf(node: Node): string[] {
  const trace: string[] = [];
  for (let at: Node | undefined = node; at?.from !== undefined; at = at.from) trace.unshift(at.step);
  return trace;
}
