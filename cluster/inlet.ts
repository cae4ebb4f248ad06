import { bell } from "../engine/bell.ts";
import type { Position, SourceId } from "../engine/ids.ts";
import type { Batch, Source } from "../engine/source.ts";

interface Waiting {
  readonly batch: Batch;
  readonly done: () => void;
  isTaken: boolean;
}

/** A source as a shard's engine sees it: what comes out of the mailbox for it is put in, one batch after another. */
export class Inlet implements Source {
  readonly id: SourceId;
  readonly #news = bell();
  #waiting: Waiting | null = null;

  constructor(id: SourceId) {
    this.id = id;
  }

  /** Resolves when the batch is stored. If the engine fails, never: whoever waits must also hear of that. */
  put(batch: Batch): Promise<void> {
    return new Promise((done) => {
      this.#waiting = { batch, done, isTaken: false };
      this.#news.ring();
    });
  }

  async *read(_after: ReadonlyMap<string, Position>, signal: AbortSignal): AsyncGenerator<Batch, void> {
    const wake = (): void => this.#news.ring();
    signal.addEventListener("abort", wake, { once: true });
    while (!signal.aborted) {
      const heard = this.#news.heard();
      if (this.#waiting === null || this.#waiting.isTaken) {
        await heard;
        continue;
      }
      this.#waiting.isTaken = true;
      yield this.#waiting.batch;
    }
    signal.removeEventListener("abort", wake);
  }

  stored(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.done();
  }
}
