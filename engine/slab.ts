import { invariant } from "./fault.ts";
import type { Hot, Layout, Packing } from "./layout.ts";

const CHUNK_SLOTS = 4096;

/**
 * Where the members of a slot lie: all of 8 bytes first, then all of 4, padded to 8 bytes. Offsets count in elements of their size from the slot's
 * start.
 */
export interface SlotPlan {
  readonly strideBytes: number;
  readonly f64At: ReadonlyMap<string, number>;
  /** Members of 4 bytes, whole numbers or not. */
  readonly u32At: ReadonlyMap<string, number>;
  /** Those of them that are not whole numbers. */
  readonly f32: ReadonlySet<string>;
  readonly nullable: ReadonlySet<string>;
}

/** Lays out a slot. Order of declaration is kept within each width. */
export function planSlot(layout: Layout): SlotPlan {
  const isWide = (name: string): boolean => layout[name] === "f64" || layout[name] === "nullable";
  const wide = Object.keys(layout).filter(isWide);
  const narrow = Object.keys(layout).filter((name) => !isWide(name));
  const u32Base = wide.length * 2;
  return {
    strideBytes: Math.ceil((wide.length * 8 + narrow.length * 4) / 8) * 8,
    f64At: new Map(wide.map((name, index) => [name, index])),
    u32At: new Map(narrow.map((name, index) => [name, u32Base + index])),
    f32: new Set(narrow.filter((name) => layout[name] !== "u32")),
    nullable: new Set(Object.keys(layout).filter((name) => layout[name] === "nullable" || layout[name] === "nullable32")),
  };
}

/** One slot's bytes as numbers: `f64[f + n]`, `u32[u + n]`, `f32[u + n]`, n as the plan says. Moved from slot to slot; never kept across a move. */
export interface Cursor {
  f64: Float64Array;
  u32: Uint32Array;
  f32: Float32Array;
  f: number;
  u: number;
}

/**
 * The hot parts of one kind of actor: fixed-size slots in chunks of typed arrays. The packed bytes are the state: every message reads and
 * writes them in place. Null of a nullable member is the quiet NaN, which no finite number is.
 */
export class Slab {
  readonly plan: SlotPlan;
  #floats: Float64Array[] = [];
  #words: Uint32Array[] = [];
  #singles: Float32Array[] = [];
  #bytes: Uint8Array[] = [];
  #empty: Uint8Array;
  size = 0;

  constructor(layout: Layout) {
    this.plan = planSlot(layout);
    const blank = new Float64Array(this.plan.strideBytes / 8);
    const singles = new Float32Array(blank.buffer);
    for (const name of this.plan.nullable) {
      const [wide, narrow] = [this.plan.f64At.get(name), this.plan.u32At.get(name)];
      if (wide !== undefined) blank[wide] = Number.NaN;
      else if (narrow !== undefined) singles[narrow] = Number.NaN;
    }
    this.#empty = new Uint8Array(blank.buffer);
  }

  /** A new slot: zeros, nullable members null. */
  allocate(): number {
    const slot = this.size;
    if (slot % CHUNK_SLOTS === 0) this.#grow();
    this.size += 1;
    this.image(slot).set(this.#empty);
    return slot;
  }

  /** The slot's bytes, in place. */
  image(slot: number): Uint8Array {
    const stride = this.plan.strideBytes;
    const start = (slot % CHUNK_SLOTS) * stride;
    const chunk = this.#bytes[(slot / CHUNK_SLOTS) | 0];
    invariant(chunk !== undefined, "slot lies in a chunk");
    return chunk.subarray(start, start + stride);
  }

  /** Fills a slot from a stored image. An image of another size is of another layout: the kind's version must have changed. */
  restore(slot: number, image: Uint8Array): void {
    invariant(image.length === this.plan.strideBytes, `a stored hot part has ${image.length} bytes, the layout ${this.plan.strideBytes}`);
    this.image(slot).set(image);
  }

  /** Points a cursor at a slot. */
  move(cursor: Cursor, slot: number): void {
    const chunk = (slot / CHUNK_SLOTS) | 0;
    const within = slot % CHUNK_SLOTS;
    cursor.f64 = this.#floats[chunk] as Float64Array;
    cursor.u32 = this.#words[chunk] as Uint32Array;
    cursor.f32 = this.#singles[chunk] as Float32Array;
    cursor.f = (within * this.plan.strideBytes) / 8;
    cursor.u = (within * this.plan.strideBytes) / 4;
  }

  #grow(): void {
    const buffer = new ArrayBuffer(CHUNK_SLOTS * this.plan.strideBytes);
    this.#floats.push(new Float64Array(buffer));
    this.#words.push(new Uint32Array(buffer));
    this.#singles.push(new Float32Array(buffer));
    this.#bytes.push(new Uint8Array(buffer));
  }
}

/** A cursor that is nowhere yet. */
export function newCursor(): Cursor {
  return { f64: new Float64Array(0), u32: new Uint32Array(0), f32: new Float32Array(0), f: 0, u: 0 };
}

/**
 * An object with a member for each of `names`, which reads and writes the packed bytes under `cursor`. Views of the same members at the same places
 * share their accessors, so that code which works with one compiles for all: an inspection makes a kind of its own, and must not slow the engine's down.
 */
export function hotView<L extends Layout>(cursor: Cursor, plan: SlotPlan, names: L): Hot<L> {
  const members = Object.entries(names).map(([name, packing]): Member => ({ name, packing, at: placeOf(plan, name) }));
  const key = JSON.stringify(members);
  const accessors = ACCESSORS.get(key) ?? accessorsOf(members);
  ACCESSORS.set(key, accessors);
  return Object.create(accessors, { [CURSOR]: { value: cursor } }) as Hot<L>;
}

interface Member {
  readonly name: string;
  readonly packing: Packing;
  readonly at: number;
}

interface View {
  readonly [CURSOR]: Cursor;
}

const CURSOR = Symbol("cursor");
const ACCESSORS = new Map<string, object>();

function placeOf(plan: SlotPlan, name: string): number {
  const at = plan.f64At.get(name) ?? plan.u32At.get(name);
  invariant(at !== undefined, `the layout has no ${name}`);
  return at;
}

function accessorsOf(members: readonly Member[]): object {
  return Object.defineProperties({}, Object.fromEntries(members.map(({ name, packing, at }) => [name, accessor(packing, at)])));
}

function accessor(packing: Packing, at: number): PropertyDescriptor & ThisType<View> {
  switch (packing) {
    case "u32":
      return {
        enumerable: true,
        get() {
          const { u32, u } = this[CURSOR];
          return u32[u + at];
        },
        set(value: number) {
          const { u32, u } = this[CURSOR];
          u32[u + at] = value;
        },
      };
    case "f64":
    case "nullable":
      return wide(at, packing === "nullable");
    case "f32":
    case "nullable32":
      return narrow(at, packing === "nullable32");
  }
}

/** A member of 8 bytes. */
function wide(at: number, isNullable: boolean): PropertyDescriptor & ThisType<View> {
  return {
    enumerable: true,
    get: isNullable
      ? function (this: View) {
          const { f64, f } = this[CURSOR];
          const value = f64[f + at] as number;
          return Number.isNaN(value) ? null : value;
        }
      : function (this: View) {
          const { f64, f } = this[CURSOR];
          return f64[f + at];
        },
    set(value: number | null) {
      const { f64, f } = this[CURSOR];
      f64[f + at] = value ?? Number.NaN;
    },
  };
}

/** A member of 4 bytes that is not a whole number. */
function narrow(at: number, isNullable: boolean): PropertyDescriptor & ThisType<View> {
  return {
    enumerable: true,
    get: isNullable
      ? function (this: View) {
          const { f32, u } = this[CURSOR];
          const value = f32[u + at] as number;
          return Number.isNaN(value) ? null : value;
        }
      : function (this: View) {
          const { f32, u } = this[CURSOR];
          return f32[u + at];
        },
    set(value: number | null) {
      const { f32, u } = this[CURSOR];
      f32[u + at] = value ?? Number.NaN;
    },
  };
}
