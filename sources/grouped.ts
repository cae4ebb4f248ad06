import type { SourceRecord } from "../engine/source.ts";
import type { Bounds } from "./format.ts";

/** Gathers records up to a bound. */
export class Group {
  readonly #bounds: Bounds;
  #records: SourceRecord[] = [];
  #bytes = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  get isEmpty(): boolean {
    return this.#records.length === 0;
  }

  /** Whether a record of this size may be added. The first one always may. */
  hasRoom(bytes: number): boolean {
    const count = this.#records.length;
    return count === 0 || (count < this.#bounds.records && this.#bytes + bytes <= this.#bounds.bytes);
  }

  add(record: SourceRecord, bytes = record.bytes.length): void {
    this.#records.push(record);
    this.#bytes += bytes;
  }

  /** Hands over what was gathered, and begins again. */
  take(): readonly SourceRecord[] {
    const records = this.#records;
    this.#records = [];
    this.#bytes = 0;
    return records;
  }
}
