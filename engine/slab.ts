import { invariant } from "./fault.ts";
import type { Hot, Layout } from "./layout.ts";

const CHUNK_SLOTS = 4096;

/** Where the members of a slot lie: all f64 first, then all u32, padded to 8 bytes. Offsets count in elements of their kind from the slot's start. */
export interface SlotPlan {
  readonly strideBytes: number;
  readonly f64At: ReadonlyMap<string, number>;
  readonly u32At: ReadonlyMap<string, number>;
  readonly nullable: ReadonlySet<string>;
}

/** Lays out a slot. Order of declaration is kept within each width. */
export function planSlot(layout: Layout): SlotPlan {
  const wide = Object.keys(layout).filter((name) => layout[name] !== "u32");
  const narrow = Object.keys(layout).filter((name) => layout[name] === "u32");
  const u32Base = wide.length * 2;
  return {
    strideBytes: Math.ceil((wide.length * 8 + narrow.length * 4) / 8) * 8,
    f64At: new Map(wide.map((name, index) => [name, index])),
    u32At: new Map(narrow.map((name, index) => [name, u32Base + index])),
    nullable: new Set(wide.filter((name) => layout[name] === "nullable")),
  };
}

/** One slot's bytes as numbers: `f64[f + n]`, `u32[u + n]`, n as the plan says. Moved from slot to slot; never kept across a move. */
export interface Cursor {
  f64: Float64Array;
  u32: Uint32Array;
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
  #bytes: Uint8Array[] = [];
  #empty: Uint8Array;
  size = 0;

  constructor(layout: Layout) {
    this.plan = planSlot(layout);
    const blank = new Float64Array(this.plan.strideBytes / 8);
    for (const name of this.plan.nullable) blank[this.plan.f64At.get(name) ?? 0] = Number.NaN;
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
    cursor.f = (within * this.plan.strideBytes) / 8;
    cursor.u = (within * this.plan.strideBytes) / 4;
  }

  #grow(): void {
    const buffer = new ArrayBuffer(CHUNK_SLOTS * this.plan.strideBytes);
    this.#floats.push(new Float64Array(buffer));
    this.#words.push(new Uint32Array(buffer));
    this.#bytes.push(new Uint8Array(buffer));
  }
}

/** A cursor that is nowhere yet. */
export function newCursor(): Cursor {
  return { f64: new Float64Array(0), u32: new Uint32Array(0), f: 0, u: 0 };
}

/** An object with a member for each of `names`, which reads and writes the packed bytes under `cursor`. */
export function hotView<L extends Layout>(cursor: Cursor, plan: SlotPlan, names: L): Hot<L> {
  const view = {};
  for (const name of Object.keys(names)) Object.defineProperty(view, name, accessor(cursor, plan, name));
  return view as Hot<L>;
}

function accessor(cursor: Cursor, plan: SlotPlan, name: string): PropertyDescriptor {
  const at = plan.f64At.get(name) ?? plan.u32At.get(name);
  invariant(at !== undefined, `the layout has no ${name}`);
  if (plan.u32At.has(name)) {
    return {
      enumerable: true,
      get: () => cursor.u32[cursor.u + at],
      set: (value: number) => {
        cursor.u32[cursor.u + at] = value;
      },
    };
  }
  if (plan.nullable.has(name)) {
    return {
      enumerable: true,
      get: () => {
        const value = cursor.f64[cursor.f + at] as number;
        return Number.isNaN(value) ? null : value;
      },
      set: (value: number | null) => {
        cursor.f64[cursor.f + at] = value ?? Number.NaN;
      },
    };
  }
  return {
    enumerable: true,
    get: () => cursor.f64[cursor.f + at],
    set: (value: number) => {
      cursor.f64[cursor.f + at] = value;
    },
  };
}
