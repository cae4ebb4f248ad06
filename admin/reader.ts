import type { Description } from "../engine/behaviour.ts";
import type { Emission } from "../engine/emission.ts";
import type { Episode } from "../engine/episode.ts";
import { decodeFact, factPrefix } from "../engine/fact_codec.ts";
import { lostBefore } from "../engine/gaps.ts";
import { type Fact, History } from "../engine/history.ts";
import { ActorId, actorIdFrom, keyOf, kindOf } from "../engine/ids.ts";
import type { LogEntry } from "../engine/log_entry.ts";
import { type AnyBehaviour, Kind } from "../engine/population.ts";
import type { RuleScope } from "../engine/rule_table.ts";
import type { Stream } from "../engine/sink.ts";
import type { Parts, Store } from "../engine/store.ts";
import { type Count, clockOf, countOf } from "../engine/vitals.ts";
import type { Domain } from "../engine/world.ts";
import { CommandError } from "./errors.ts";
import { nearest, suggestions } from "./suggest.ts";

/** What reading needs of a store. It may belong to a daemon that goes on writing it: nothing here changes anything. */
export type ReadStore = Pick<Store, "load" | "get" | "range" | "actors" | "readLog" | "logStart" | "nextSequence">;

/** A state directory, and what says what is in it. `decode` is made by `emissionDecoder`. */
export interface View {
  readonly store: ReadStore;
  readonly domain: Domain;
  readonly decode: (stream: Stream, entry: LogEntry) => Emission;
}

/** One stored actor, read whole. */
export interface Actor {
  readonly id: ActorId;
  readonly behaviour: AnyBehaviour;
  readonly description: Description;
  /** Kind -> the actor it is linked to now. */
  readonly links: Readonly<Record<string, ActorId>>;
  /** The latest published episode of each rule, oldest first. */
  readonly episodes: readonly Episode[];
  /** Feed -> latest event time accepted on time; null before the first. In the order of the behaviour. */
  readonly clocks: ReadonlyMap<string, number | null>;
  readonly counts: Readonly<Record<Count, number>>;
}

/**
 * The stored actor that a user means: full id (`meter/SM-N-00042`) or business key, in any case. Throws NOT_FOUND with candidates, or USAGE if the
 * key belongs to actors of several kinds.
 */
export function findActor(view: View, text: string): ActorId {
  const { kinds, key } = parseId(view.domain, text.trim());
  const asWritten = [key, key.toUpperCase()]; // Spares the look at all keys for nearly every id.
  const direct = kinds.flatMap((kind) => asWritten.map((one) => ActorId(kind, one)).find((id) => view.store.load(id) !== null) ?? []);
  const found = direct.length > 0 ? direct : sameLetters(view, kinds, key);
  const [id] = found;
  if (id === undefined) throw notFound(view, kinds, key);
  if (found.length === 1) return id;
  throw new CommandError("USAGE", `"${key}" names ${found.length} actors`, { hint: "put the kind in front", candidates: found });
}

/** Reads an actor. Throws NOT_FOUND if the store does not hold it. */
export function readActor(view: View, id: ActorId): Actor {
  const { store, domain } = view;
  const behaviour = domain.behaviours.find(({ kind }) => kind === kindOf(id));
  const parts = behaviour === undefined ? null : store.load(id);
  if (behaviour === undefined || parts === null) throw new CommandError("NOT_FOUND", `no actor ${id}`);
  return actorIn(kindFor(view, behaviour), id, parts, lostOf(store, behaviour));
}

/** Where an actor stands, for limits that are overridden for a part of the grid. */
export function scopeOf({ description: { attributes } }: Actor): RuleScope {
  const text = (name: string): string | null => (typeof attributes[name] === "string" ? (attributes[name] as string) : null);
  return { region: text("region"), tariff: text("tariff_category") };
}

/** All episodes of a stored actor, suspicions among them; none for one that the store does not hold. */
export function readEpisodes({ store, domain }: View, id: ActorId): readonly Episode[] {
  const behaviour = domain.behaviours.find(({ kind }) => kind === kindOf(id));
  const parts = behaviour === undefined ? null : store.load(id);
  if (behaviour === undefined || parts === null) return [];
  const kind = new Kind(behaviour, isWindowed(behaviour, domain));
  return [...(kind.peekWarm(kind.add(id, parts))?.episodes.values() ?? [])];
}

/** Every stored actor that `takes` lets through by its id, in id order. */
export function* readActors(view: View, takes: (id: ActorId) => boolean = () => true): Generator<Actor, void> {
  const { store, domain } = view;
  const lost = new Map(domain.behaviours.map((behaviour) => [behaviour.kind, lostOf(store, behaviour)]));
  for (const [id, parts] of store.actors()) {
    if (!takes(id)) continue;
    const behaviour = domain.behaviours.find(({ kind }) => kind === kindOf(id));
    if (behaviour === undefined) continue;
    yield actorIn(kindFor(view, behaviour), id, parts, lost.get(behaviour.kind) ?? null);
  }
}

/** The states of all actors of a kind, in id order, as they are kept: for those who know their shape. */
export function* readStates({ store, domain }: View, kind: string): Generator<readonly [ActorId, object], void> {
  const behaviour = domain.behaviours.find((one) => one.kind === kind);
  if (behaviour === undefined) return;
  for (const [id, parts] of store.actors()) {
    if (kindOf(id) !== kind) continue;
    const one = new Kind(behaviour, isWindowed(behaviour, domain));
    const slot = one.add(id, parts);
    one.slab.move(one.cursor, slot);
    yield [id, one.look(slot)];
  }
}

/** The memory that actors are read into, which is some megabytes for each kind. */
const READ_INTO = new WeakMap<View, Map<string, Kind>>();

/** A kind keeps whatever was put into it: after so many actors a new one is begun. */
function kindFor(view: View, behaviour: AnyBehaviour): Kind {
  const kinds = READ_INTO.get(view) ?? new Map<string, Kind>();
  READ_INTO.set(view, kinds);
  let kind = kinds.get(behaviour.kind);
  if (kind === undefined || kind.size === KIND_ACTORS_MAX) kind = new Kind(behaviour, isWindowed(behaviour, view.domain));
  kinds.set(behaviour.kind, kind);
  return kind;
}

/** Where changes were lost of the feed that tells of such actors. */
function lostOf(store: View["store"], { toldBy }: AnyBehaviour): string | null {
  return toldBy === undefined ? null : lostBefore(store, toldBy);
}

function actorIn(kind: Kind, id: ActorId, parts: Parts, lost: string | null): Actor {
  const slot = kind.add(id, parts);
  const { behaviour, cursor, at } = kind;
  kind.slab.move(cursor, slot);
  const episodes = [...(kind.peekWarm(slot)?.episodes.values() ?? [])].filter(({ revision }) => revision > 0);
  return {
    id,
    behaviour,
    description: behaviour.describe(kind.look(slot), id, lost),
    links: behaviour.links(kind.look(slot), id),
    episodes: episodes.sort((a, b) => a.onsetMs - b.onsetMs || (a.rule < b.rule ? -1 : 1)),
    clocks: new Map(behaviour.clocks.map((feed) => [feed, clockOf(cursor, at, feed)])),
    counts: Object.fromEntries(Object.keys(at.count).map((count) => [count, countOf(cursor, at, count as Count)])) as Actor["counts"],
  };
}

/** The facts of an actor's history, in order of `from`; none for an actor without one. */
export function readFacts({ store }: View, id: ActorId): readonly Fact[] {
  return [...store.range("fact", factPrefix(id))].map(([key, bytes]) => decodeFact(key, bytes));
}

/** The histories of all actors of a kind, in id order; none for a kind without. */
export function* readHistories({ store, domain }: View, kind: string): Generator<History, void> {
  const options = domain.behaviours.find((behaviour) => behaviour.kind === kind)?.history;
  if (options === undefined) return;
  let id: ActorId | null = null;
  let facts: Fact[] = [];
  for (const [key, bytes] of store.range("fact", `${kind}/`)) {
    const next = actorIdFrom(key.slice(0, key.indexOf("\0")));
    if (id !== null && next !== id) {
      yield new History(id, facts, options);
      facts = [];
    }
    id = next;
    facts.push(decodeFact(key, bytes));
  }
  if (id !== null) yield new History(id, facts, options);
}

/** The engine's clock: the latest event time it holds; null while it holds none. Dates of validity, which may lie ahead, do not count. */
export function engineClockMs({ store, domain }: View): number | null {
  const times = [...store.range("partition", "")].flatMap(([, bytes]) => {
    const { feed, latestMs } = JSON.parse(Buffer.from(bytes).toString()) as { readonly feed: string; readonly latestMs: number | null };
    return latestMs !== null && tellsTime(domain, feed) ? [latestMs] : [];
  });
  return latestOf(times);
}

/** The clock that `now` and spans mean for one actor: its own, or the engine's while it has none. */
export function actorClockMs(view: View, { clocks }: Actor): number | null {
  const times = [...clocks].flatMap(([feed, clockMs]) => (clockMs !== null && tellsTime(view.domain, feed) ? [clockMs] : []));
  return latestOf(times) ?? engineClockMs(view);
}

/** All flushed entries of a stream from a sequence number on, in bounded groups. */
export async function* logFrom({ store }: Pick<View, "store">, stream: Stream, from: number): AsyncGenerator<readonly LogEntry[], void> {
  let next = from;
  for (;;) {
    const entries = await store.readLog(stream, next, GROUP_BYTES);
    const last = entries.at(-1);
    if (last === undefined) return;
    yield entries;
    next = last.sequence + 1;
  }
}

/** One of several things by its id or the beginning of it, in any case, with or without its prefix. Throws NOT_FOUND, or USAGE if several begin so. */
export function findByPrefix(ids: readonly string[], prefix: string, text: string, what: string): string {
  const wanted = prefixed(prefix, text);
  const found = ids.filter((id) => id.startsWith(wanted));
  const [id] = found;
  if (id !== undefined && (found.length === 1 || id === wanted)) return id;
  if (id === undefined) throw new CommandError("NOT_FOUND", `no ${what} ${text}`, { candidates: suggestions(wanted, ids) });
  throw new CommandError("USAGE", `${found.length} of them begin with "${text}"`, {
    hint: "give more of its characters",
    candidates: found,
  });
}

/** The beginning of an id as it was typed, in our case and with its prefix. */
export function prefixed(prefix: string, text: string): string {
  const typed = text.trim().toUpperCase();
  return typed.startsWith(prefix) ? typed : `${prefix}${typed}`;
}

const GROUP_BYTES = 1_048_576;
const KIND_ACTORS_MAX = 1_000;
const SAMPLES_MAX = 5;

function parseId({ behaviours }: Domain, text: string): { readonly kinds: readonly string[]; readonly key: string } {
  const kinds = behaviours.map(({ kind }) => kind);
  const slash = text.indexOf("/");
  if (slash < 0) return { kinds, key: text };
  const kind = text.slice(0, slash).toLowerCase();
  if (kinds.includes(kind)) return { kinds: [kind], key: text.slice(slash + 1) };
  const near = nearest(kind, kinds);
  throw new CommandError("NOT_FOUND", `no kind of actor is called "${kind}"`, {
    hint: `kinds are ${kinds.join(", ")}`,
    candidates: near === null ? [] : [`${near}${text.slice(slash)}`],
  });
}

/** Where keys are not all in one case, only a look at each of them tells. */
function sameLetters(view: View, kinds: readonly string[], key: string): readonly ActorId[] {
  const wanted = key.toLowerCase();
  const found: ActorId[] = [];
  for (const id of idsOf(view, kinds)) if (keyOf(id).toLowerCase() === wanted) found.push(id);
  return found;
}

function* idsOf({ store }: View, kinds: readonly string[]): Generator<ActorId, void> {
  for (const [id] of store.actors()) if (kinds.includes(kindOf(id))) yield id;
}

function notFound(view: View, kinds: readonly string[], key: string): CommandError {
  const near = suggestions(key, likeKeys(view, kinds, key));
  const candidates = near.length > 0 ? near : beginning(view, kinds, key);
  const [first] = candidates;
  const hint = first === undefined ? sampleHint(view, kinds, key) : `gridactor inspect ${first}`;
  return new CommandError("NOT_FOUND", `no actor ${key}`, { hint, candidates });
}

/** Keys that begin as this one does, up to its first dash, where any does: `TRF-X` is no misspelt bill. There may be millions: they are gone through, never held. */
function* likeKeys(view: View, kinds: readonly string[], key: string): Generator<string, void> {
  const begin = key.slice(0, key.indexOf("-") + 1).toLowerCase();
  const isLike = (known: string): boolean => known.toLowerCase().startsWith(begin);
  const isAnyLike = begin.length > 1 && some(keysOf(view, kinds), isLike);
  for (const known of keysOf(view, kinds)) if (!isAnyLike || isLike(known)) yield known;
}

function some(keys: Iterable<string>, fits: (key: string) => boolean): boolean {
  for (const key of keys) if (fits(key)) return true;
  return false;
}

function* keysOf(view: View, kinds: readonly string[]): Generator<string, void> {
  for (const id of idsOf(view, kinds)) yield keyOf(id);
}

function beginning(view: View, kinds: readonly string[], key: string): readonly string[] {
  const found: string[] = [];
  if (key === "") return found;
  for (const known of keysOf(view, kinds)) {
    if (known.toLowerCase().startsWith(key.toLowerCase())) found.push(known);
    if (found.length === SAMPLES_MAX) break;
  }
  return found;
}

function sampleHint(view: View, kinds: readonly string[], key: string): string {
  for (const known of likeKeys(view, kinds, key)) return `an id that exists: ${known}`;
  return "gridactor run --drain reads the files: the state holds no such actors yet";
}

function isWindowed({ clocks }: AnyBehaviour, { feeds }: Domain): boolean {
  return feeds.some(({ name, dedup }) => dedup === "window" && clocks.includes(name));
}

function tellsTime({ feeds }: Domain, name: string): boolean {
  return feeds.find((feed) => feed.name === name)?.refusesFuture === true;
}

function latestOf(times: readonly number[]): number | null {
  return times.reduce<number | null>((latest, atMs) => (latest === null || atMs > latest ? atMs : latest), null);
}
