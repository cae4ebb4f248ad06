import { parseExact } from "./exact_json.ts";
import type { Fault, FaultCode } from "./fault.ts";
import { isNullWord, jsonText, type Reading } from "./feed.ts";
import { longHash } from "./ids.ts";
import type { Note, NoteCode } from "./note.ts";

/** Why a value did not become part of its row: a closed list, part of `_rescued_data`. */
export type RescueReason = "new_column" | "type_mismatch" | "case_mismatch" | "out_of_range" | "bad_format" | "rounded";

interface Rescued {
  readonly value: unknown;
  readonly reason: RescueReason;
}

const OUT_OF_RANGE: readonly FaultCode[] = ["out_of_range", "bad_interval"];
const NO_NOTES: readonly Note[] = [];

/** What is gathered while one record is read: notes, and the values that its row cannot hold. */
export class RecordReading implements Reading {
  readonly plain: boolean;
  readonly #cells: boolean;
  readonly #text: string | null;
  #notes: Note[] | null = null;
  #rescued: Map<string, Rescued> | null = null;
  #isShort = false;
  #drops = false;
  #exact: Readonly<Record<string, unknown>> | null = null;
  #writtenAs: Map<string, string> | null = null;

  /** `text`: the record as JSON, null if its format took it apart. `cells`: the values are cells of a CSV file. */
  constructor(text: string | null, plain: boolean, cells: boolean) {
    this.#text = text;
    this.plain = plain;
    this.#cells = cells;
  }

  note(code: NoteCode, detail: string): void {
    this.#notes ??= [];
    this.#notes.push({ code, detail });
  }

  rounded(name: string, original: unknown): void {
    this.note("rounded", name);
    if (!this.#drops) this.#keep(name, original, "rounded");
  }

  /** Nothing that is refused or rescued is kept from here on: it is counted only. */
  dropsAll(): void {
    this.#drops = true;
  }

  /** The record calls this column by another name. */
  alias(column: string, written: string): void {
    this.#writtenAs ??= new Map();
    this.#writtenAs.set(column, written);
  }

  /** What came under this name is not kept. */
  ignore(name: string): void {
    this.note("ignored_column", name);
  }

  /** Keeps what came under this name, and why. */
  rescue(name: string, original: unknown, reason: RescueReason): void {
    if (this.#drops) return this.ignore(name);
    this.note("rescued", `${name}: ${reason}`);
    this.#keep(name, original, reason);
  }

  /** Keeps what came under this name, which a field has refused. */
  refuse(name: string, original: unknown, { code }: Fault): void {
    this.rescue(name, original, code === "bad_type" ? "type_mismatch" : OUT_OF_RANGE.includes(code) ? "out_of_range" : "bad_format");
  }

  /** Whether the value means null: in a CSV file some words do. A cell that its line lacks is noted, once for a record. */
  isNull(name: string, value: unknown): boolean {
    if (value !== null && value !== undefined) return this.#cells && typeof value === "string" && isNullWord(value.trim());
    if (this.#cells && !this.#isShort) this.note("rescued", `${name}: the line has fewer cells than the header`);
    this.#isShort = true;
    return true;
  }

  literal(name: string, value: number): string {
    return String(this.exact(name, value));
  }

  /** The value, unless binary numbers may have changed it: a whole number beyond 2^53 as bigint, an object with such numbers as text. */
  precise(name: string, value: unknown): unknown {
    if (typeof value === "object" && value !== null) return this.exact(name, value);
    if (typeof value !== "number" || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
    const literal = this.literal(name, value);
    return /^-?\d+$/.test(literal) ? BigInt(literal) : value;
  }

  /** The value of this name with every number in it that a double cannot hold as text. */
  exact(name: string, value: unknown): unknown {
    if (this.#text === null) return value;
    this.#exact ??= parseExact(this.#text) as Readonly<Record<string, unknown>>;
    return this.#exact[this.#writtenAs?.get(name) ?? name];
  }

  notes(): readonly Note[] {
    return this.#notes ?? NO_NOTES;
  }

  /** JSON text of all that was rescued; beyond `bytesMax` its hash and length. Null: nothing was. */
  rescued(bytesMax: number): string | null {
    if (this.#rescued === null) return null;
    const text = jsonText(Object.fromEntries(this.#rescued));
    const bytes = Buffer.byteLength(text);
    return bytes <= bytesMax ? text : JSON.stringify({ hash: longHash([text]), bytes });
  }

  #keep(name: string, original: unknown, reason: RescueReason): void {
    const isExact = typeof original === "string" || typeof original === "boolean" || Number.isSafeInteger(original);
    this.#rescued ??= new Map();
    this.#rescued.set(name, { value: isExact ? original : this.exact(name, original), reason });
  }
}
