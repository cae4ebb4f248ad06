import type { LogEntry } from "./log_entry.ts";
import { ENTRY_HEAD_BYTES, LENGTH_AT } from "./log_file.ts";
import { Draft } from "./segment_file.ts";
import type { Stream } from "./sink.ts";

/** What a turn appends to the log, as the blocks that the store appends to its files: an entry is written once, where it stays. */
export class LogDraft {
  readonly streams: Readonly<Record<Stream, EntryDraft>> = { alerts: new EntryDraft(), curated: new EntryDraft() };
  #first = 1;
  #next = 1;
  #marked = 1;

  /** Number of the first entry. */
  get first(): number {
    return this.#first;
  }

  /** Number behind the last entry. */
  get next(): number {
    return this.#next;
  }

  /** Forgets what it holds. The next entry gets this number. */
  clear(first: number): void {
    this.#first = first;
    this.#next = first;
    this.streams.alerts.clear();
    this.streams.curated.clear();
  }

  /** Begins an entry: its bytes are what is written until it is closed. */
  open(stream: Stream): EntryDraft {
    const draft = this.streams[stream];
    draft.open(this.#next);
    return draft;
  }

  close(stream: Stream): void {
    this.streams[stream].close();
    this.#next += 1;
  }

  /** Adds the last entry of a stream to another one, too. */
  repeat(from: Stream, to: Stream): void {
    const draft = this.open(to);
    draft.copyEntry(this.streams[from]);
    this.close(to);
  }

  /** What is added from here on can be taken back. */
  mark(): void {
    this.#marked = this.#next;
    this.streams.alerts.mark();
    this.streams.curated.mark();
  }

  /** Takes back what was added since the last `mark`. */
  backToMark(): void {
    this.#next = this.#marked;
    this.streams.alerts.backToMark();
    this.streams.curated.backToMark();
  }
}

/** The entries of one stream. */
export class EntryDraft extends Draft {
  /** Number of its first entry; 0: it has none. */
  first = 0;
  #entry = 0;
  /** Where the entries since the last mark begin. */
  #marked: number[] = [];

  open(sequence: number): void {
    if (this.length === 0) this.first = sequence;
    this.#entry = this.beginRecord();
    this.#marked.push(this.#entry);
    this.reserve(ENTRY_HEAD_BYTES);
    this.view.setFloat64(this.#entry, sequence, true);
    this.at = this.#entry + ENTRY_HEAD_BYTES;
  }

  close(): void {
    this.view.setUint32(this.#entry + LENGTH_AT, this.at - this.#entry - ENTRY_HEAD_BYTES, true);
  }

  /** The entries since the last mark: views, valid until the next is added. */
  sinceMark(): readonly LogEntry[] {
    return this.#marked.map((at) => {
      const bytes = this.chunk.subarray(at + ENTRY_HEAD_BYTES, at + ENTRY_HEAD_BYTES + this.chunk.readUInt32LE(at + LENGTH_AT));
      return { sequence: this.chunk.readDoubleLE(at), bytes };
    });
  }

  override mark(): void {
    super.mark();
    if (this.#marked.length > 0) this.#marked.length = 0;
  }

  override backToMark(): void {
    super.backToMark();
    this.#marked.length = 0;
  }

  override clear(): void {
    super.clear();
    this.#marked.length = 0;
  }

  /** Writes the bytes of another draft's last entry. */
  copyEntry(other: EntryDraft): void {
    this.bytes(other.chunk.subarray(other.#entry + ENTRY_HEAD_BYTES, other.at));
  }
}
