/**
 * A packed number: `f64` any finite number; `nullable` the same or null; `u32` a whole number 0 ... 2^32-1 (counts, codes, halves of hashes);
 * `f32` and `nullable32` in half the space, to seven digits: for statistics and measurements, never for times or sums of money or energy.
 */
export type Packing = "f64" | "nullable" | "u32" | "f32" | "nullable32";

/** The declared shape of a kind's hot part. Order is the order in memory and at rest. */
export type Layout = Readonly<Record<string, Packing>>;

/** A layout as a behaviour sees it: plain members that read and write the packed bytes. */
export type Hot<L extends Layout> = { -readonly [Name in keyof L]: L[Name] extends "nullable" | "nullable32" ? number | null : number };

/**
 * State of a packed kind. `hot` writes through to the slab. `warm` is read-only; `change()` gives the same object to write, and marks it as
 * changed. All three are valid during the call only.
 */
export interface Packed<H, W> {
  readonly hot: H;
  readonly warm: Readonly<W>;
  change(): W;
}

/** The part of a state that `initial` makes. */
export type WarmOf<State> = State extends Packed<infer _H, infer W> ? W : State;
