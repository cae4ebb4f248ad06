import { setImmediate } from "node:timers/promises";
import type { EventHubConsumerClient, EventPosition, Subscription } from "@azure/event-hubs";
import { bell } from "../engine/bell.ts";
import type { Clock } from "../engine/clock.ts";
import { seconds } from "../engine/duration.ts";
import { Unavailable } from "../engine/fault.ts";
import type { Position, SourceId } from "../engine/ids.ts";
import type { Batch, Source } from "../engine/source.ts";
import { environmentCredential } from "./azure_credential.ts";
import type { HubAccess } from "./event_hub_address.ts";
import { hubErrorCode, hubErrorText } from "./event_hub_error.ts";
import { HubPartition } from "./event_hub_partition.ts";
import { type HubExtent, type HubPlace, isPlainOffset, judge, placeOf, positionOf } from "./event_hub_position.ts";
import type { HubEventData } from "./event_hub_record.ts";
import type { Bounds } from "./format.ts";

export interface EventHubOptions {
  readonly id: SourceId;
  readonly access: HubAccess;
  readonly hub: string;
  readonly consumerGroup: string;
  /** Where the very first start begins. A partition that is added later is read from its beginning. */
  readonly start: "earliest" | "latest";
  /** When events are gone that were not read yet: stop that partition, or go on behind them. */
  readonly onGap: "stop" | "accept";
  /** Whether somebody has accepted the next gap of this partition, whatever `onGap` says. Left out: nobody has. */
  readonly isAccepted?: (partition: string) => boolean;
  /** 1 or more. A reader takes its partitions from readers of the same or a lower level, and is refused below a higher one. */
  readonly ownerLevel: number;
  readonly bounds: Bounds;
  /** A partition that is read to its end and quiet for so long is idle. */
  readonly idleMs: number;
  /** System property of an event -> column that it stands in for, where the body does not speak about it. */
  readonly columns: ReadonlyMap<string, string>;
  readonly clock: Clock;
  /** Told when a partition cannot be read on as it should; `isStopped`: it is read no more, until the process starts again or, if `isGap`, that is accepted. */
  readonly onTrouble: (partition: string, reason: string, isStopped: boolean, isGap: boolean) => void;
}

/**
 * An Azure event hub, or the built-in endpoint of an IoT hub. Partition: that of the hub; position: the last event taken (`event_hub_position.ts`).
 * The positions that are handed in are the only truth: the library's checkpoints are not used. A partition stops for good when another reader
 * takes it, or when it is not the one that was read before; the others go on.
 */
export function eventHub(options: EventHubOptions): Source {
  // Outlives a reading, for an outage must not make us take back what another reader has taken.
  const stopped: Stopped = new Map();
  let reading: Reading | null = null;
  return {
    id: options.id,
    goOn: () => reading?.goOn(),
    async *read(after, signal) {
      const { hubClient } = await import("./event_hub_library.ts"); // Loaded when needed: it takes longer than all else.
      const credential = "connectionString" in options.access ? null : await environmentCredential();
      const current = new Reading(options, stopped, after, signal, (onCut) => hubClient(options, credential, CLIENT_OPTIONS, onCut));
      reading = current;
      try {
        yield* current.batches();
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        await current.close();
      }
    },
  };
}

/** Batches of 1,000 with three times as many fetched ahead were the fastest; larger ones gained nothing. */
const BATCH_EVENTS = 1_000;
const PREFETCH_FACTOR = 3;
/** How long the library waits for events before it says that there are none. */
const LOOK_EVERY_S = 5;
/** Before it tries again by itself to start a partition that has stopped: we do not let it. */
const NEVER_MS = 2 ** 31 - 1;
const CLOSE_WITHIN_MS = seconds(1);
const CLIENT_OPTIONS = {
  retryOptions: { maxRetries: 0, timeoutInMs: seconds(10) }, // Trying again is the engine's.
  loadBalancingOptions: { updateIntervalInMs: NEVER_MS },
};

/** Events that wait until they are taken; the library fetches no further for this partition before `taken`. */
interface Delivery {
  readonly partition: HubPartition;
  readonly events: readonly HubEventData[];
  readonly taken: () => void;
}

/** Makes a client; it calls `onCut` when its connection is cut. */
type MakeClient = (onCut: () => void) => EventHubConsumerClient;

/** Partitions that are read no more, each with the reason: at a gap, which may be accepted, or for good. */
type Stopped = Map<string, "gap" | "for good">;

/** One reading of all partitions, from a start to the end of the signal or to an outage. */
class Reading {
  readonly #options: EventHubOptions;
  readonly #stopped: Stopped;
  readonly #after: ReadonlyMap<string, Position>;
  readonly #signal: AbortSignal;
  readonly #client: EventHubConsumerClient;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #deliveries: Delivery[] = [];
  /** Where partitions stopped. */
  readonly #left = new Map<string, Position>();
  /** Partitions that stopped at a gap which was accepted. */
  #accepted: readonly string[] = [];
  readonly #news = bell();
  readonly #closed = bell();
  #createdAtMs = 0;
  #outage: Unavailable | null = null;
  #isClosed = false;

  constructor(
    options: EventHubOptions,
    stopped: Stopped,
    after: ReadonlyMap<string, Position>,
    signal: AbortSignal,
    makeClient: MakeClient,
  ) {
    this.#options = options;
    this.#stopped = stopped;
    this.#after = after;
    this.#signal = signal;
    this.#client = makeClient(() => this.#unreachable(new Error("its connection was cut")));
  }

  async *batches(): AsyncGenerator<Batch, void> {
    const { clock } = this.#options;
    this.#signal.addEventListener("abort", this.#news.ring, { once: true });
    const partitions = await this.#open();
    if (this.#after.size === 0 && this.#options.start === "latest") yield passedOver(partitions, this.#origin(""));
    for (const partition of partitions) this.#subscribe(partition);
    for (const partition of partitions) yield* present(partition.idleBatch(clock.now()));
    while (!this.#signal.aborted) {
      const heard = this.#news.heard();
      if (this.#outage !== null) throw this.#outage;
      if (this.#accepted.length > 0) yield* this.#openAccepted();
      const delivery = this.#deliveries.shift();
      if (delivery === undefined) {
        await heard;
        continue;
      }
      yield* this.#take(delivery);
      delivery.taken();
    }
  }

  /** Somebody has accepted gaps: partitions that stopped at one of them go on. */
  goOn(): void {
    this.#accepted = [...this.#stopped].flatMap(([id, reason]) => (reason === "gap" && this.#accepts(id) ? [id] : []));
    this.#news.ring();
  }

  /** Bounded, for the other side may not answer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#signal.removeEventListener("abort", this.#news.ring);
    for (const { taken } of this.#deliveries.splice(0)) taken();
    const inTime = new AbortController();
    await Promise.race([this.#client.close().catch(() => {}), this.#options.clock.sleep(CLOSE_WITHIN_MS, inTime.signal)]);
    inTime.abort();
    this.#closed.ring();
  }

  // Partitions ----------------------------------------------------------------------------------------------------------------------------

  /** The partitions that can be read on, each where it stands. */
  async #open(): Promise<readonly HubPartition[]> {
    const abort = { abortSignal: this.#signal };
    const { partitionIds, createdOn } = await this.#reached(this.#client.getEventHubProperties(abort));
    this.#createdAtMs = createdOn.getTime();
    const ids = partitionIds.filter((id) => !this.#stopped.has(id));
    const opened = await Promise.all(ids.map((id) => this.#openPartition(id)));
    return opened.filter((partition) => partition !== null);
  }

  async #openPartition(id: string): Promise<HubPartition | null> {
    const { start, bounds, columns, idleMs, clock } = this.#options;
    const extent = await this.#extentOf(id);
    const stored = this.#left.get(id) ?? this.#after.get(id);
    const isFirst = this.#after.size === 0; // Else the partition is new, and all of it is.
    const place = stored === undefined ? startOf(isFirst && start === "latest" ? extent : null, this.#createdAtMs) : placeOf(stored);
    const partition = new HubPartition({ id, origin: this.#origin(id), place, bounds, columns, idleMs, openedAtMs: clock.now() });
    if (!isPlainOffset(extent.lastOffset)) return this.#stop(partition, strange(extent.lastOffset));
    return stored === undefined || this.#goesOn(partition, extent) ? known(partition, extent) : null;
  }

  async *#openAccepted(): AsyncGenerator<Batch, void> {
    const ids = this.#accepted;
    this.#accepted = [];
    for (const id of ids) {
      this.#stopped.delete(id);
      const partition = await this.#openPartition(id);
      if (partition === null) continue;
      this.#subscribe(partition);
      yield* present(partition.idleBatch(this.#options.clock.now()));
    }
  }

  #accepts(id: string): boolean {
    const { onGap, isAccepted } = this.#options;
    return onGap === "accept" || isAccepted?.(id) === true;
  }

  async #extentOf(id: string): Promise<HubExtent & { readonly lastOffset: string }> {
    const abort = { abortSignal: this.#signal };
    const properties = await this.#reached(this.#client.getPartitionProperties(id, abort));
    const { beginningSequenceNumber, lastEnqueuedSequenceNumber: last, lastEnqueuedOffset, isEmpty } = properties;
    return {
      begin: isEmpty ? last + 1 : beginningSequenceNumber,
      last,
      lastOffset: String(lastEnqueuedOffset),
      createdAtMs: this.#createdAtMs,
    };
  }

  /** Whether the partition may be read on; if it may not, it has stopped. */
  #goesOn(partition: HubPartition, extent: HubExtent): boolean {
    const verdict = judge(partition.place, extent);
    switch (verdict.type) {
      case "continues":
        return true;
      case "stop":
        this.#stop(partition, verdict.reason);
        return false;
      case "gap": {
        const lost = `${verdict.lost} events behind number ${partition.place.sequence} are gone`;
        if (!this.#accepts(partition.id)) {
          this.#stop(partition, `${lost}; gridactor accept-gap ${this.#options.id} --write goes on behind them`, "gap");
          return false;
        }
        this.#options.onTrouble(partition.id, lost, false, true);
        partition.passOver(extent.begin - 1, lost);
        return true;
      }
    }
  }

  #stop(partition: HubPartition, reason: string, kind: "gap" | "for good" = "for good"): null {
    if (this.#stopped.has(partition.id)) return null;
    this.#stopped.set(partition.id, kind);
    this.#left.set(partition.id, positionOf(partition.place));
    this.#subscriptions
      .get(partition.id)
      ?.close()
      .catch(() => {});
    this.#options.onTrouble(partition.id, reason, true, kind === "gap");
    return null;
  }

  #origin(partition: string): string {
    return `eventhub:${this.#client.fullyQualifiedNamespace}/${this.#options.hub}/${partition}/`;
  }

  // Events --------------------------------------------------------------------------------------------------------------------------------

  #subscribe(partition: HubPartition): void {
    const batchEvents = Math.min(BATCH_EVENTS, this.#options.bounds.records);
    const subscription = this.#client.subscribe(
      partition.id,
      {
        processEvents: (events) => this.#deliver(partition, events),
        processError: (error) => this.#failed(partition, error),
      },
      {
        startPosition: startPosition(partition.place),
        ownerLevel: this.#options.ownerLevel,
        maxBatchSize: batchEvents,
        prefetchCount: batchEvents * PREFETCH_FACTOR,
        maxWaitTimeInSeconds: LOOK_EVERY_S,
        skipParsingBodyAsJson: true,
      },
    );
    this.#subscriptions.set(partition.id, subscription);
  }

  /** Resolves once the events are taken: until then the library fetches no more, beyond what it has ahead. */
  #deliver(partition: HubPartition, events: readonly HubEventData[]): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((taken) => {
      this.#deliveries.push({ partition, events, taken });
      this.#news.ring();
    });
  }

  async *#take({ partition, events }: Delivery): AsyncGenerator<Batch, void> {
    const { clock } = this.#options;
    if (this.#stopped.has(partition.id)) return;
    const offset = partition.strangeOffset(events);
    if (offset !== null) return void this.#stop(partition, strange(offset));
    const next = partition.countNext(events);
    yield* partition.batches(events.slice(0, next), clock.now());
    const [broken] = events.slice(next);
    if (broken !== undefined) {
      const extent = await this.#extentOf(partition.id);
      // Retention may have moved on since the event was sent: nothing is lost from there on.
      if (!this.#goesOn(partition, { ...extent, begin: Math.min(extent.begin, broken.sequenceNumber) })) return;
      yield* partition.batches(events.slice(next), clock.now());
    }
    yield* present(partition.idleBatch(clock.now()));
  }

  // Outages -------------------------------------------------------------------------------------------------------------------------------

  /** Resolves once the reading is closed: until then the library does not try again, which would leave timers of half an hour behind. */
  async #failed(partition: HubPartition, error: Error): Promise<void> {
    await setImmediate(); // A link that is refused at once has its timer only after this; closing it then stops the timer.
    if (this.#isClosed || this.#stopped.has(partition.id)) return;
    if (hubErrorCode(error) === "ReceiverDisconnectedError") {
      const group = this.#options.consumerGroup;
      this.#stop(partition, `another reader of the consumer group ${group} has taken it; it is not taken back before the next start`);
      return;
    }
    this.#unreachable(error);
    await this.#closed.heard();
  }

  #unreachable(error: Error): void {
    this.#outage ??= this.#unavailable(error);
    this.#news.ring();
  }

  async #reached<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  #unavailable(error: unknown): Unavailable {
    const cause = new Error(hubErrorText(error), { cause: error });
    return new Unavailable(`the event hub ${this.#options.hub} at ${this.#client.fullyQualifiedNamespace}`, cause);
  }
}

function strange(offset: string): string {
  return `its offset ${JSON.stringify(offset)} is no number: the hub is geo-replicated, and cannot be read by this version`;
}

/** Behind the last event at present, or, with none given, before the first. */
function startOf(extent: (HubExtent & { readonly lastOffset: string }) | null, createdAtMs: number): HubPlace {
  return extent === null ? { sequence: -1, offset: "-1", createdAtMs } : { sequence: extent.last, offset: extent.lastOffset, createdAtMs };
}

/** Behind the place. The service knows the offset -1 as its beginning. */
function startPosition({ offset }: HubPlace): EventPosition {
  return { offset, isInclusive: false };
}

function known(partition: HubPartition, { begin, last }: HubExtent): HubPartition {
  if (partition.place.sequence < 0) partition.passOver(begin - 1); // What was gone before the first start is not missed.
  partition.endsAt(last);
  return partition;
}

/** The positions of all partitions at once: a partition that is not in the store is taken for a new one. */
function passedOver(partitions: readonly HubPartition[], origin: string): Batch {
  const resumeAt = new Map(partitions.map(({ id, place }) => [id, positionOf(place)]));
  return { origin, path: null, ...partitionOf(partitions), generation: 0, records: [], resumeAt, idle: true };
}

function partitionOf([first]: readonly HubPartition[]): { readonly partition?: string } {
  return first === undefined ? {} : { partition: first.id };
}

function present(batch: Batch | null): readonly Batch[] {
  return batch === null ? [] : [batch];
}
