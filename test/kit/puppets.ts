import type { Behaviour, Out, Woken } from "../../engine/behaviour.ts";
import { minutes } from "../../engine/duration.ts";
import type { CellValue } from "../../engine/emission.ts";
import { ENGINE_TABLES } from "../../engine/engine_tables.ts";
import { feed, instant, number, optional, text } from "../../engine/feed.ts";
import { ActorId, actorIdFrom } from "../../engine/ids.ts";
import type { Packed } from "../../engine/layout.ts";
import type { NoteCode } from "../../engine/note.ts";
import type { Observation, Rule } from "../../engine/rule.ts";
import { resolveTable } from "../../engine/table.ts";
import type { Domain } from "../../engine/world.ts";
import type { Arrival } from "./given.ts";

/** When a puppet's story begins. */
export const START_MS = Date.UTC(2025, 5, 15, 12);

/** The instant so many minutes after the start, epoch ms. */
export const at = (minute: number): number => START_MS + minutes(minute);

/** What a record makes its puppet do, in order. Times are minutes after the start. */
export type Order =
  | readonly ["tell", ActorId, readonly Order[]]
  | readonly ["wake", name: string, minute: number | null]
  | readonly ["on", name: string, orders: readonly Order[]]
  | readonly ["observe", rule: string, value: number]
  | readonly ["row", text: string]
  | readonly ["keep", text: string]
  | readonly ["grow", length: number]
  | readonly ["spoil"]
  | readonly ["note", NoteCode]
  | readonly ["duplicate"]
  | readonly ["throw"];

interface Ordered {
  readonly type: "ordered";
  readonly value: number | null;
  readonly orders: readonly Order[];
  readonly atMs: number;
}

interface Warm {
  kept: unknown;
  /** Name, due, clock and step in minutes after the start, of each time it was woken. */
  woken: (readonly [string, number, number, number])[];
  on: Record<string, readonly Order[]>;
}
type State = Packed<{ learnt: number; told: number }, Warm>;

const fresh = (): Warm => ({ kept: null, woken: [], on: {} });

/** A packed actor that does what it is told. It learns from values that are neither late nor in conflict. */
const puppet: Behaviour<State, Ordered> = {
  kind: "puppet",
  version: 1,
  clocks: ["ticks", "slow", "other"],
  hot: { learnt: "f64", told: "u32" },
  initial: fresh,
  receive(state, message, out) {
    state.hot.told += 1;
    if (message.type === "ordered" && !out.late && !out.conflict) state.hot.learnt += message.value ?? 0;
    act(() => state.change(), message, out);
  },
  describe: ({ hot, warm }) => ({
    status: null,
    attributes: { kept: String(warm.kept), woken: JSON.stringify(warm.woken) },
    latest: null,
    rolling: { learnt: hot.learnt, told: hot.told },
  }),
  rolling: ({ hot }) => ({ learnt: hot.learnt, told: hot.told }),
  links: () => ({}),
};

/** The same with a plain state. */
const doll: Behaviour<Warm, Ordered> = {
  kind: "doll",
  version: 1,
  clocks: [],
  initial: fresh,
  receive: (state, message, out) => act(() => state, message, out),
  describe: ({ kept, woken }) => ({
    status: null,
    attributes: { kept: String(kept), woken: JSON.stringify(woken) },
    latest: null,
    rolling: null,
  }),
  links: () => ({}),
};

function act(change: () => Warm, message: Ordered | Woken, out: Out<Ordered>): void {
  if (message.type === "ordered") {
    for (const order of message.orders) obey(change, order, message.atMs, out);
    return;
  }
  const { name, dueMs, clockMs, steppedMs } = message;
  const inMinutes = (ms: number): number => Math.round(ms / 600) / 100;
  const warm = change();
  warm.woken = [...warm.woken, [name, inMinutes(dueMs - START_MS), inMinutes(clockMs - START_MS), inMinutes(steppedMs)]];
  out.curate("acts", { text: `woken ${name}` });
  for (const order of warm.on[name] ?? []) obey(change, order, dueMs, out);
}

function obey(change: () => Warm, order: Order, atMs: number, out: Out<Ordered>): void {
  switch (order[0]) {
    case "tell":
      return out.tell(order[1], { type: "ordered", value: null, orders: order[2], atMs });
    case "wake":
      return out.wakeAt(order[1], order[2] === null ? null : at(order[2]));
    case "on":
      change().on = { ...change().on, [order[1]]: order[2] };
      return;
    case "observe":
      return out.observe(order[1], observation(order[2], atMs));
    case "row":
      return out.curate("acts", { text: order[1] });
    case "keep":
      change().kept = order[1];
      return;
    case "grow":
      change().kept = "x".repeat(order[1]);
      return;
    case "spoil":
      change().kept = Symbol("no bytes for this");
      return;
    case "note":
      return out.note(order[1]);
    case "duplicate":
      return out.duplicate();
    case "throw":
      throw new Error("ordered to throw");
  }
}

function observation(value: number, atMs: number): Observation {
  return { holds: value >= 10, atMs, value, limit: 10, clear: 8 };
}

const fields = { event_id: text, actor: text, timestamp: instant, value: optional(number()), orders: optional(text) };

function puppetFeed(name: string, options: { readonly clockDelayMs: number; readonly dedup?: "actor"; readonly latenessMs?: number }) {
  return feed({
    name,
    latenessMs: minutes(10),
    ...options,
    fields,
    table: name,
    eventTimeMs: (row) => row.timestamp,
    dedupKey: (row) => row.event_id,
    actors: (row) => row.actor.split("+").map((key) => (key.includes("/") ? actorIdFrom(key) : ActorId("puppet", key))),
    message: (row): Ordered => ({
      type: "ordered",
      value: row.value,
      orders: row.orders === null ? [] : (JSON.parse(row.orders) as readonly Order[]),
      atMs: row.timestamp,
    }),
  });
}

const FEEDS = [
  puppetFeed("ticks", { clockDelayMs: 0 }),
  puppetFeed("slow", { clockDelayMs: minutes(5), dedup: "actor" }),
  puppetFeed("other", { clockDelayMs: 0, dedup: "actor" }),
];

const rule = (id: string, changes: Partial<Rule>): Rule => ({
  id,
  version: 1,
  family: "puppet",
  severity: "warning",
  metric: "value",
  unit: "",
  limits: {},
  summary: id,
  ...changes,
});

export const PUPPET_RULES: readonly Rule[] = [rule("puppet.hit", { pulseMs: minutes(60), stamps: true }), rule("puppet.high", {})];

const column: Readonly<Record<string, { readonly type: "string" }>> = { text: { type: "string" } };
const TABLES = [
  ...FEEDS.map(({ name }) => ({ name, feed: name, columns: {} })),
  { name: "acts", feed: null, columns: column },
  ...ENGINE_TABLES,
];

/** Actors that do what their records say: all that a turn can be led to. */
export const PUPPETS: Domain = {
  behaviours: [puppet, doll],
  feeds: FEEDS,
  tables: TABLES.map((table) => resolveTable(table, FEEDS.find((one) => one.name === table.feed) ?? null)),
};

interface Tick {
  readonly id?: string;
  readonly actor?: string;
  readonly value?: CellValue;
  readonly orders?: readonly Order[];
  readonly feed?: string;
  readonly source?: string;
  readonly partition?: string;
}

let ticks = 0;

/** A record `minute` minutes after the start. Left out: an id of its own, puppet `a`, feed `ticks`. */
export function tick(minute: number, { id, actor = "a", value = 1, orders, feed: name = "ticks", source, partition }: Tick = {}): Arrival {
  ticks += 1;
  const timestamp = new Date(at(minute)).toISOString();
  const record = {
    event_id: id ?? `id-${ticks}`,
    actor,
    timestamp,
    value,
    ...(orders === undefined ? {} : { orders: JSON.stringify(orders) }),
  };
  return { feed: name, record, ...(source === undefined ? {} : { source }), ...(partition === undefined ? {} : { partition }) };
}
