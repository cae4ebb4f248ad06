import type { Out, Woken } from "../engine/behaviour.ts";
import type { CuratedRow } from "../engine/emission.ts";
import type { Feed } from "../engine/feed.ts";
import { History, type Version } from "../engine/history.ts";
import { type ActorId, kindOf, SourceId } from "../engine/ids.ts";
import { type AnyBehaviour, Kind } from "../engine/population.ts";
import type { Observation, RuleLimits } from "../engine/rule.ts";
import type { RuleTable } from "../engine/rule_table.ts";
import { readActor, readFacts, scopeOf, type View } from "./reader.ts";
import { feedOf } from "./readings.ts";

type AnyMessage = { readonly type: string };

/** What is asked of a copy of an actor. */
export interface ProbeOptions {
  readonly view: View;
  readonly rules: RuleTable;
  readonly id: ActorId;
  readonly rule: string;
}

/** Within these the next day of an actor begins and ends, so that what is judged once a day or a week is judged. */
const LOOK_AHEAD_MS = [0, 86_400_000, 8 * 86_400_000];
const TELLS_MAX = 1_000;

/**
 * What a rule says of a record that has been processed: a copy of the actor, as it is stored now, is given the record once more, and if the rule
 * has nothing to say of it, the same a day and a week later. Nothing that the copy does leaves it. Null: the rule is silent.
 */
export function probe({ view, rules, id, rule }: ProbeOptions, row: CuratedRow): Observation | null {
  const feed = feedOf(view, row);
  if (feed === undefined || row.actor === null) return null;
  for (const aheadMs of LOOK_AHEAD_MS) {
    const heard: Observation[] = [];
    const told: AnyMessage[] = [];
    const listener = { id, rule, rules, heard, told };
    deliver(view, row.actor, [messageOf(feed, row, aheadMs)], listener);
    if (row.actor !== id) deliver(view, id, told.slice(0, TELLS_MAX), listener);
    const last = heard.at(-1);
    if (last !== undefined) return last;
  }
  return null;
}

interface Listener {
  readonly id: ActorId;
  readonly rule: string;
  readonly rules: RuleTable;
  readonly heard: Observation[];
  readonly told: AnyMessage[];
}

/** Gives messages to a copy of an actor. */
function deliver(view: View, id: ActorId, messages: readonly AnyMessage[], listener: Listener): void {
  const behaviour = view.domain.behaviours.find(({ kind }) => kind === kindOf(id));
  const parts = view.store.load(id);
  if (behaviour === undefined || parts === null) return;
  const isWindowed = view.domain.feeds.some(({ name, dedup }) => dedup === "window" && behaviour.clocks.includes(name));
  const kind = new Kind(behaviour, isWindowed);
  const slot = kind.add(id, parts);
  kind.slab.move(kind.cursor, slot);
  const state = kind.stateAt(slot, () => {});
  const out = outOf(view, behaviour, id, listener);
  for (const message of messages) behaviour.receive(state, message as AnyMessage & Woken, out);
}

function messageOf(feed: Feed, row: CuratedRow, aheadMs: number): AnyMessage {
  const context = {
    path: null,
    generation: 0,
    mode: "delta" as const,
    arrivedAtMs: row.arrivedAtMs,
    authored: () => true,
    before: null,
    absent: false,
    extra: null,
  };
  const message = feed.message(row.cells, context) as AnyMessage & { readonly atMs?: number };
  return aheadMs === 0 || message.atMs === undefined ? message : Object.assign(message, { atMs: message.atMs + aheadMs });
}

/** Hears observations of the rule, and tells to the actor that is asked about; does nothing else. */
function outOf(view: View, behaviour: AnyBehaviour, id: ActorId, listener: Listener): Out<AnyMessage> {
  const isAsked = id === listener.id;
  const facts = readFacts(view, id);
  const history = behaviour.history === undefined ? null : new History(id, facts, behaviour.history);
  const versions = (): readonly Version[] => history?.versions ?? [];
  const limits = (rule: string): RuleLimits => listener.rules.limits(rule, id, () => scopeOf(readActor(view, id)));
  return {
    self: id,
    late: false,
    conflict: false,
    tell: (to, message) => void (to === listener.id && listener.told.push(message)),
    observe: (rule, observation) => void (isAsked && rule === listener.rule && listener.heard.push(observation)),
    hasEpisode: (rule) => isAsked && rule === listener.rule, // So that it says, too, that all is well.
    curate: () => {},
    wakeAt: () => {},
    limits,
    note: () => {},
    duplicate: () => {},
    remember: () => ({ duplicate: false, changes: [], tie: false, versions: versions() }),
    versions,
    alertOf: () => null,
    amend: () => {},
    cover: () => {},
    uncover: () => {},
    linked: () => {},
    reviseRows: () => {},
    facts: (prefix) => history?.factsFrom(prefix) ?? [],
    held: () => ({ source: SourceId("probe"), path: null, position: "", arrivedAtMs: 0, eventTimeMs: 0, sizeBytes: 0, text: "" }),
    reject: () => {},
  };
}
