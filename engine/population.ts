import type { Behaviour } from "./behaviour.ts";
import { ByteArena } from "./byte_arena.ts";
import { invariant } from "./fault.ts";
import { grown } from "./grown.ts";
import { IdTable } from "./id_table.ts";
import { type ActorId, kindOf } from "./ids.ts";
import type { PartsDraft } from "./journal.ts";
import type { Layout } from "./layout.ts";
import { type Cursor, hotView, newCursor, Slab } from "./slab.ts";
import type { Parts, Store } from "./store.ts";
import { type VitalsAt, vitalsAt, vitalsLayout } from "./vitals.ts";
import { decodeOwn, decodeWarm, encodeKept, encodeOwn, joinWarm, type Kept, splitWarm, type Warm } from "./warm_codec.ts";

/** Any behaviour; its state and message types matter to itself only. */
export type AnyBehaviour = Behaviour<object, { readonly type: string }>;

/** Warm parts of a kind kept decoded; between commits the encoded bytes say everything. */
const DECODED_MAX = 20_000;

const HOT_CHANGED = 1;
const WARM_CHANGED = 2;

/**
 * What a warm part was before a record touched it: the place of the behaviour's own state (0: there was no warm part), what the engine keeps by
 * reference, since its members are never changed in place (null: it was not touched).
 */
export interface WarmBefore {
  readonly own: number;
  readonly kept: Kept | null;
}

/** All living actors of one kind. */
export class Kind {
  readonly behaviour: AnyBehaviour;
  readonly slab: Slab;
  readonly at: VitalsAt;
  /** How often an actor was wanted that was in memory, and one that had to be read from the store; whoever counts them sets them to 0. */
  hits = 0;
  misses = 0;
  /** Points at the actor being processed. */
  readonly cursor: Cursor = newCursor();
  readonly #ids = new IdTable();
  /** Own states as of the last record that was done, what the engine keeps as of the last commit. */
  readonly #own = new ByteArena();
  readonly #kept = new ByteArena();
  readonly #warm: (Warm | null)[] = [];
  #changes = new Uint32Array(0);
  readonly #changed: number[] = [];
  #touched = new Uint32Array(0);
  #decoded = 0;
  readonly #packed: PackedState | null;
  readonly #viewer: PackedState | null;

  constructor(behaviour: AnyBehaviour, windowed: boolean) {
    this.behaviour = behaviour;
    const layout: Layout = { ...vitalsLayout(behaviour.clocks, windowed), ...behaviour.hot };
    this.slab = new Slab(layout);
    this.at = vitalsAt(this.slab.plan, behaviour.clocks);
    const hot = behaviour.hot === undefined ? null : hotView(this.cursor, this.slab.plan, behaviour.hot);
    this.#packed = hot === null ? null : new PackedState(this, hot);
    this.#viewer = hot === null ? null : new PackedState(this, hot);
  }

  /** A slot for an actor, filled from its stored parts if it has any. */
  add(id: ActorId, parts: Parts | null): number {
    const slot = this.slab.allocate();
    this.#ids.add(id);
    if (parts?.warm != null) {
      const { own, kept } = splitWarm(parts.warm);
      this.#own.set(slot, own);
      this.#kept.set(slot, kept);
    }
    this.#warm.push(null);
    this.#changes = grown(this.#changes, slot + 1);
    this.#touched = grown(this.#touched, slot + 1);
    if (parts?.hot != null) this.slab.restore(slot, parts.hot);
    return slot;
  }

  get size(): number {
    return this.slab.size;
  }

  /** The slot of an actor; -1: it has none. */
  slot(id: ActorId): number {
    return this.#ids.find(id);
  }

  id(slot: number): ActorId {
    return this.#ids.id(slot);
  }

  /** A number that the root at work keeps with the slot. Any other root's may still stand there. */
  touched(slot: number): number {
    return this.#touched[slot] as number;
  }

  keepTouched(slot: number, number: number): void {
    this.#touched[slot] = number;
  }

  /** Copies of the parts as they were stored last. Between two turns only. */
  parts(slot: number): Parts {
    const own = this.#own.get(slot);
    const kept = this.#kept.get(slot);
    return { hot: new Uint8Array(this.slab.image(slot)), warm: own === null || kept === null ? null : joinWarm(own, kept) };
  }

  /** The warm part as it is; null while there is none. Read only. */
  peekWarm(slot: number): Warm | null {
    const held = this.#warm[slot] ?? null;
    if (held !== null) return held;
    const own = this.#own.get(slot);
    const kept = own === null ? null : this.#kept.get(slot);
    if (own === null || kept === null) return null;
    const warm = decodeWarm(own, kept, this.behaviour);
    this.#warm[slot] = warm;
    this.#decoded += 1;
    return warm;
  }

  /** The warm part to write; made if there is none. The caller says `warmChanged` when the record is done. */
  warm(slot: number): Warm {
    const warm = this.peekWarm(slot);
    if (warm !== null) return warm;
    const fresh: Warm = { own: this.behaviour.initial(this.id(slot)), timers: new Map(), episodes: new Map(), overflow: [] };
    this.#warm[slot] = fresh;
    this.#decoded += 1;
    return fresh;
  }

  /** What the behaviour calls its state. The cursor must be at the slot. */
  stateAt(slot: number, onWarmChange: () => void): object {
    if (this.#packed === null) {
      onWarmChange();
      return this.warm(slot).own as object;
    }
    return this.#packed.of(slot, onWarmChange);
  }

  /** The state for those who only look (`describe`). The cursor must be at the slot. */
  look(slot: number): object {
    if (this.#viewer !== null) return this.#viewer.of(slot, refuseChange);
    return (this.peekWarm(slot)?.own ?? this.behaviour.initial(this.id(slot))) as object;
  }

  /** Encodes the own state, so that a later record can be undone. False: it has not changed. Throws if it cannot be encoded or is too large. */
  seal(slot: number, bytesMax: number): boolean {
    const warm = this.#warm[slot];
    if (warm == null) return false;
    const own = this.#encodeOwn(warm);
    if (own.length > bytesMax)
      throw new Error(`the state of ${this.id(slot)} would have ${own.length} bytes, at most ${bytesMax} are kept`);
    if (this.#own.isEqual(slot, own)) return false;
    this.#own.set(slot, own);
    return true;
  }

  /** True once the actor's own state has been sealed: it then has a warm part that counts. */
  isSealed(slot: number): boolean {
    return this.#own.place(slot) !== 0;
  }

  sealedOwn(slot: number): number {
    return this.#own.place(slot);
  }

  /** Puts a warm part back. */
  undo(slot: number, { own, kept }: WarmBefore): void {
    const warm = this.#warm[slot] ?? null;
    this.#own.putBack(slot, own);
    if (warm === null) return;
    const bytes = this.#own.get(slot);
    if (bytes === null) {
      this.#warm[slot] = null;
      return;
    }
    const { timers, episodes, overflow } = kept ?? warm;
    this.#warm[slot] = { own: decodeOwn(bytes, this.behaviour), timers, episodes, overflow };
  }

  hotChanged(slot: number): void {
    this.#mark(slot, HOT_CHANGED);
  }

  warmChanged(slot: number): void {
    this.#mark(slot, WARM_CHANGED);
  }

  /** Takes back a birth. The slot stays unused: nothing of it is stored. */
  forget(slot: number): void {
    this.#ids.forget(slot);
    this.#changes[slot] = 0;
  }

  /** What changed since the last call, in order of first change. */
  takeChanges(into: PartsDraft): void {
    for (const slot of this.#changed) {
      const flags = this.#changes[slot] ?? 0;
      if (flags === 0) continue;
      this.#changes[slot] = 0;
      const warm = (flags & WARM_CHANGED) === 0 ? null : this.#encodeWarm(slot);
      into.add(this.#ids.bytes(slot), (flags & HOT_CHANGED) === 0 ? null : this.slab.image(slot), warm);
    }
    this.#changed.length = 0;
    this.#own.compact();
    this.#kept.compact();
    if (this.#decoded > DECODED_MAX) this.#forgetDecoded();
  }

  #encodeOwn(warm: Warm): Uint8Array {
    if (this.behaviour.large !== undefined) warm.large ??= new Map();
    return encodeOwn(warm.own, this.behaviour, warm.large);
  }

  #encodeWarm(slot: number): Uint8Array | null {
    const warm = this.#warm[slot] ?? null;
    if (warm === null) return null;
    const kept = encodeKept(warm);
    const own = this.#own.get(slot) ?? this.#encodeOwn(warm);
    if (!this.isSealed(slot)) this.#own.set(slot, own);
    this.#kept.set(slot, kept);
    return joinWarm(own, kept);
  }

  #forgetDecoded(): void {
    this.#warm.fill(null);
    this.#decoded = 0;
  }

  #mark(slot: number, flag: number): void {
    const before = this.#changes[slot] ?? 0;
    if (before === 0) this.#changed.push(slot);
    this.#changes[slot] = before | flag;
  }
}

function refuseChange(): void {
  throw new Error("describe may not change the state");
}

/** The cursor that a packed kind's behaviour gets as its state. */
class PackedState {
  readonly hot: object;
  readonly #kind: Kind;
  #slot = 0;
  #onWarmChange: () => void = () => {};
  #blank: object | null = null;

  constructor(kind: Kind, hot: object) {
    this.#kind = kind;
    this.hot = hot;
  }

  of(slot: number, onWarmChange: () => void): this {
    this.#slot = slot;
    this.#onWarmChange = onWarmChange;
    return this;
  }

  /** Read only. An actor without a warm part reads a blank one that is not stored. */
  get warm(): object {
    const warm = this.#kind.peekWarm(this.#slot);
    if (warm !== null) return warm.own as object;
    this.#blank ??= this.#kind.behaviour.initial(this.#kind.id(this.#slot));
    return this.#blank;
  }

  change(): object {
    this.#onWarmChange();
    return this.#kind.warm(this.#slot).own as object;
  }
}

/** Where an actor lives. */
export interface Place {
  readonly kind: Kind;
  readonly slot: number;
}

/** Every actor touched since the start, each in its kind's slab; the others are loaded from the store when they are first touched. */
export class Population {
  readonly kinds: ReadonlyMap<string, Kind>;
  readonly #store: Store;

  /** `windowed`: kinds that a feed with a dedup window goes to. */
  constructor(behaviours: readonly AnyBehaviour[], windowed: ReadonlySet<string>, store: Store) {
    this.kinds = new Map(behaviours.map((behaviour) => [behaviour.kind, new Kind(behaviour, windowed.has(behaviour.kind))]));
    this.#store = store;
  }

  has(id: ActorId): boolean {
    return this.kind(id).slot(id) >= 0 || this.#store.load(id) !== null;
  }

  /** The parts of an actor, wherever it is, as they were stored last; null: never seen. Between two turns only. Makes no place for it. */
  parts(id: ActorId): Parts | null {
    const kind = this.kinds.get(kindOf(id));
    const slot = kind?.slot(id) ?? -1;
    return kind === undefined || slot < 0 ? this.#store.load(id) : kind.parts(slot);
  }

  kind(id: ActorId): Kind {
    const kind = this.kinds.get(kindOf(id));
    invariant(kind !== undefined, `${id} is of a kind that has a behaviour`);
    return kind;
  }

  /** The actor's slot in its kind; made at its first touch. `born` is called when the store does not know it either. */
  slot(kind: Kind, id: ActorId, born: (id: ActorId) => void): number {
    const known = kind.slot(id);
    if (known >= 0) {
      kind.hits += 1;
      return known;
    }
    const parts = this.#store.load(id);
    if (parts === null) born(id);
    else kind.misses += 1;
    return kind.add(id, parts);
  }

  place(id: ActorId, born: (id: ActorId) => void): Place {
    const kind = this.kind(id);
    return { kind, slot: this.slot(kind, id, born) };
  }

  takeChanges(into: PartsDraft): void {
    for (const kind of this.kinds.values()) kind.takeChanges(into);
  }
}
