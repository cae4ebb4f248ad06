import { type AnyStateMachine, createMachine, initialTransition, transition } from "xstate";
import { invariant } from "./fault.ts";

export type LifeState = "normal" | "suspected" | "raised" | "acknowledged" | "suppressed" | "shelved" | "cleared" | "retracted";

/** What can happen to an episode. `passed` says that the condition has held, or not held, for as long as the rule asks. */
export type LifeEvent =
  | "abnormal"
  | "normal"
  | "on_delay_passed"
  | "off_delay_passed"
  | "acknowledged"
  | "parent_claimed"
  | "parent_released_abnormal"
  | "parent_released_normal"
  | "shelved"
  | "shelf_ended_abnormal"
  | "shelf_ended_normal"
  | "resolved"
  | "retracted";

/** State -> event -> next state, complete: an event that means nothing in a state leads back to it. */
export type LifeTable = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * The life of an alert, written down here and nowhere else. Its moves depend on state and event alone: no guards, no context, no actions, so
 * that it compiles to a table. Who observes decides which event has happened. A cleared episode is over: the next one begins at `normal`.
 */
export const lifeCycle = createMachine({
  id: "episode",
  initial: "normal",
  states: {
    normal: { on: { abnormal: "suspected" } },
    suspected: { on: { on_delay_passed: "raised", normal: "normal" } },
    raised: {
      on: {
        acknowledged: "acknowledged",
        parent_claimed: "suppressed",
        shelved: "shelved",
        off_delay_passed: "cleared",
        resolved: "cleared",
        retracted: "retracted",
      },
    },
    acknowledged: {
      on: { parent_claimed: "suppressed", shelved: "shelved", off_delay_passed: "cleared", resolved: "cleared", retracted: "retracted" },
    },
    suppressed: {
      on: {
        parent_released_abnormal: "raised",
        parent_released_normal: "cleared",
        off_delay_passed: "cleared",
        resolved: "cleared",
        retracted: "retracted",
      },
    },
    shelved: {
      on: { shelf_ended_abnormal: "raised", shelf_ended_normal: "cleared", resolved: "cleared", retracted: "retracted" },
    },
    cleared: { on: { retracted: "retracted" } },
    retracted: {},
  },
});

const TABLE = compile(lifeCycle);

/** The state after an event: one look into the compiled table. */
export function next(state: LifeState, event: LifeEvent): LifeState {
  return TABLE[state]?.[event] as LifeState;
}

/** Walks a flat machine from its initial state with XState's pure `transition`. Throws `BrokenInvariant` if a move depends on, or does, anything else. */
export function compile(machine: AnyStateMachine): LifeTable {
  invariant(machine.config.context === undefined, "a life cycle keeps no context");
  const table: Record<string, Record<string, string>> = {};
  const [initial, atOnce] = initialTransition(machine);
  invariant(atOnce.length === 0, "a life cycle does nothing by itself at its beginning");
  const open = [initial];
  for (let snapshot = open.pop(); snapshot !== undefined; snapshot = open.pop()) {
    const state = flat(snapshot.value);
    if (table[state] !== undefined) continue;
    refuseMore(machine, state);
    const row: Record<string, string> = {};
    for (const type of machine.events) {
      const [after, actions] = transition(machine, snapshot, { type });
      invariant(actions.length === 0 && Object.keys(after.context).length === 0, `a life cycle only moves on ${type}`);
      row[type] = flat(after.value);
      open.push(after);
    }
    table[state] = row;
  }
  return table;
}

function flat(value: unknown): string {
  invariant(typeof value === "string", "a life cycle is flat");
  return value;
}

/** A guard would make the table wrong for other contexts than the one it was compiled with; timers and children would be lost. */
function refuseMore(machine: AnyStateMachine, state: string): void {
  const node = machine.states[state];
  invariant(node !== undefined, `${state} is a state of the machine`);
  const moves = [...node.transitions.values(), node.always ?? []].flat();
  invariant(
    moves.every(({ guard }) => guard === undefined),
    `${state} has no guards`,
  );
  invariant(node.after.length === 0 && node.invoke.length === 0, `${state} sets no timer and starts no child`);
}
