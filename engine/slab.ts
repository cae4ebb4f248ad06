import { invariant } from "./fault.ts";
import type { Hot, Layout } from "./layout.ts";

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

/** An object with a member for each of `names`, which reads and writes the packed bytes under `cursor`. */
export function hotView<L extends Layout>(cursor: Cursor, plan: SlotPlan, names: L): Hot<L> {
  const view = {};
  for (const name of Object.keys(names)) Object.defineProperty(view, name, accessor(cursor, plan, name));
  return view as Hot<L>;
}

function accessor(cursor: Cursor, plan: SlotPlan, name: string): PropertyDescriptor {
  const at = plan.f64At.get(name) ?? plan.u32At.get(name);
  invariant(at !== undefined, `the layout has no ${name}`);
  if (plan.f32.has(name)) return single(cursor, at, plan.nullable.has(name));
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

/** A member of 4 bytes that is not a whole number. */
function single(cursor: Cursor, at: number, isNullable: boolean): PropertyDescriptor {
  if (isNullable) {
    return {
      enumerable: true,
      get: () => {
        const value = cursor.f32[cursor.u + at] as number;
        return Number.isNaN(value) ? null : value;
      },
      set: (value: number | null) => {
        cursor.f32[cursor.u + at] = value ?? Number.NaN;
      },
    };
  }
  return {
    enumerable: true,
    get: () => cursor.f32[cursor.u + at],
    set: (value: number) => {
      cursor.f32[cursor.u + at] = value;
    },
  };
}
