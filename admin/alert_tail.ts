import type { Store } from "../engine/store.ts";
import type { LoggedAlert } from "./alerts.ts";
import type { View } from "./reader.ts";

/** Events in order, and the last sequence that was looked at for them. */
export interface AlertPage {
  readonly alerts: readonly LoggedAlert[];
  readonly examined: number;
}

export interface TailOptions {
  readonly store: Pick<Store, "readLog" | "nextSequence">;
  readonly decode: View["decode"];
  /** The first sequence that is kept. */
  readonly firstSequence?: () => number;
  /** How large the log of alerts is: readers are woken only when that has changed. Left out: at every ring. */
  readonly alertBytes?: () => number;
}

const PAGE_BYTES = 65_536; // Read and decoded at one go: the engine waits for that.
const PAGE_EVENTS = 256;
/** The newest events, kept for those who follow. */
const HELD_EVENTS = 1_024;

/**
 * The log of alerts as many readers see it, each from a place of its own. The newest events are decoded once for all of them; who is further behind
 * reads the log. Nothing is kept for a reader.
 */
export class AlertTail {
  readonly #options: TailOptions;
  readonly #listeners = new Set<() => void>();
  #held: LoggedAlert[] = [];
  /** All events with a number in (`#before`, `#examined`] are held. */
  #before: number;
  #examined: number;
  #filling: Promise<void> | null = null;
  #bytes = -1;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#examined = options.store.nextSequence - 1;
    this.#before = this.#examined;
  }

  get firstSequence(): number {
    return this.#options.firstSequence?.() ?? 1;
  }

  /** Number that the next entry of the log gets. */
  get nextSequence(): number {
    return this.#options.store.nextSequence;
  }

  /** Says that the log has grown. A thousand readers are not woken for rows alone. */
  ring(): void {
    const bytes = this.#options.alertBytes?.() ?? -1;
    if (bytes >= 0 && bytes === this.#bytes) return;
    this.#bytes = bytes;
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` whenever the log has grown, until the returned function is called. */
  onGrown(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The next events from a sequence on (inclusive); none, with `examined` at the end of the log: there are no more now. */
  async page(from: number): Promise<AlertPage> {
    while (from > this.#before && this.#isBehind(from)) {
      if (this.#filling === null && from > this.#examined + 1) this.#jump(from);
      await this.#fill();
    }
    if (from <= this.#before) return this.#read(from);
    const begin = firstAtLeast(this.#held, from);
    const alerts = this.#held.slice(begin, begin + PAGE_EVENTS);
    const isAll = begin + alerts.length === this.#held.length;
    return { alerts, examined: isAll ? Math.max(this.#examined, from - 1) : (alerts.at(-1) as LoggedAlert).sequence };
  }

  /** No event from there on is held, and there may be one in the log. */
  #isBehind(from: number): boolean {
    return this.#examined < this.nextSequence - 1 && (this.#held.at(-1)?.sequence ?? 0) < from;
  }

  /** Nobody has asked for a while: what is held begins where somebody asks now. */
  #jump(from: number): void {
    this.#held = [];
    this.#examined = from - 1;
    this.#before = this.#examined;
  }

  /** One reading for all who ask meanwhile. */
  #fill(): Promise<void> {
    this.#filling ??= this.#readOn().finally(() => {
      this.#filling = null;
    });
    return this.#filling;
  }

  async #readOn(): Promise<void> {
    const { alerts, examined } = await this.#read(this.#examined + 1);
    this.#held.push(...alerts);
    this.#examined = examined;
    if (this.#held.length <= 2 * HELD_EVENTS) return;
    this.#held = this.#held.slice(-HELD_EVENTS);
    this.#before = (this.#held[0] as LoggedAlert).sequence - 1;
  }

  async #read(from: number): Promise<AlertPage> {
    const { store, decode } = this.#options;
    const numbered = store.nextSequence - 1;
    const entries = await store.readLog("alerts", from, PAGE_BYTES);
    const alerts = entries.map((entry) => decode("alerts", entry)).filter((emission) => emission.stream === "alerts");
    const last = alerts.at(-1)?.sequence ?? from - 1;
    const isAll = entries.reduce((bytes, entry) => bytes + entry.bytes.length, 0) < PAGE_BYTES;
    return { alerts, examined: isAll ? Math.max(last, numbered) : last };
  }
}

function firstAtLeast(alerts: readonly LoggedAlert[], sequence: number): number {
  let low = 0;
  let high = alerts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((alerts[middle] as LoggedAlert).sequence >= sequence) high = middle;
    else low = middle + 1;
  }
  return low;
}
