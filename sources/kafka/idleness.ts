import type { Clock } from "../../engine/clock.ts";
import { seconds } from "../../engine/duration.ts";
import type { Lane } from "./lane.ts";

/** After so many answers and so long without a batch a partition is at its end, though an open transaction hides what lies behind. */
const SILENCE = { answers: 3, forMs: seconds(2) };

/** What we last heard of a partition. */
interface Heard {
  /** Answers of the brokers, about all partitions, up to its last batch. */
  answers: number;
  atMs: number;
  /** When its last record came, or long ago. */
  recordAtMs: number;
  /** It was said that it has nothing more. */
  isSaid: boolean;
}

/** Tells when partitions have nothing more: all of them once all have been read to the end, later each that brings nothing for a while. */
export class Idleness {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #heard = new Map<Lane, Heard>();
  #answers = 0;
  #isCaughtUp = false;

  constructor(clock: Clock, idleMs: number) {
    this.#clock = clock;
    this.#idleMs = idleMs;
  }

  /** These are the partitions from now on. */
  begin(lanes: Iterable<Lane>): void {
    this.#isCaughtUp = false;
    this.#heard.clear();
    for (const lane of lanes) this.#heard.set(lane, { answers: this.#answers, atMs: this.#clock.now(), recordAtMs: 0, isSaid: false });
  }

  /** A broker has answered, with records or without. */
  answered(): void {
    this.#answers += 1;
  }

  /** A batch of this partition came, or reading of it begins anew. */
  heardOf(lane: Lane): void {
    const heard = this.#heard.get(lane);
    if (heard === undefined) return;
    heard.answers = this.#answers;
    heard.atMs = this.#clock.now();
  }

  /** Records of this partition came. */
  recordsOf(lane: Lane): void {
    const heard = this.#heard.get(lane);
    if (heard === undefined) return;
    heard.recordAtMs = this.#clock.now();
    heard.isSaid = false;
  }

  /** A partition that is idle, each once. Null: none that was not named before. */
  next(): Lane | null {
    if (!this.#isCaughtUp && !this.#catchUp()) return null;
    const nowMs = this.#clock.now();
    for (const [lane, heard] of this.#heard) {
      if (heard.isSaid || nowMs - heard.recordAtMs < this.#idleMs || !this.#isAtEnd(lane, heard)) continue;
      heard.isSaid = true;
      return lane;
    }
    return null;
  }

  #catchUp(): boolean {
    const all = [...this.#heard];
    this.#isCaughtUp = all.length > 0 && all.every(([lane, heard]) => this.#isAtEnd(lane, heard));
    if (this.#isCaughtUp) for (const heard of this.#heard.values()) heard.recordAtMs = Number.NEGATIVE_INFINITY;
    return this.#isCaughtUp;
  }

  #isAtEnd(lane: Lane, { answers, atMs }: Heard): boolean {
    if (lane.hasWaiting) return false;
    if (lane.stopped !== null || lane.isAtEnd) return true;
    return this.#answers - answers >= SILENCE.answers && this.#clock.now() - atMs >= SILENCE.forMs;
  }
}
