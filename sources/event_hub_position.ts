import { invariant } from "../engine/fault.ts";
import { Position } from "../engine/ids.ts";

/** The last event that was taken of a partition. */
export interface HubPlace {
  /** -1: none yet. */
  readonly sequence: number;
  /** By which the service finds it again; "-1": none yet. */
  readonly offset: string;
  /** When the hub was made: one that was made again under the same name numbers its events anew. */
  readonly createdAtMs: number;
}

/** What a partition holds at present. */
export interface HubExtent {
  /** Sequence number of the first event that is still there; `last + 1` if none is. */
  readonly begin: number;
  /** Sequence number of the last event ever; -1: none. */
  readonly last: number;
  readonly createdAtMs: number;
}

/** Whether a partition can be read on behind a place. `gap`: `lost` events are gone. `stop`: it is not the partition that was read before. */
export type HubVerdict =
  | { readonly type: "continues" }
  | { readonly type: "gap"; readonly lost: number }
  | { readonly type: "stop"; readonly reason: string };

export function positionOf({ sequence, offset, createdAtMs }: HubPlace): Position {
  return Position(`${sequence} ${offset} ${createdAtMs}`);
}

export function placeOf(position: Position): HubPlace {
  const [sequence, offset, createdAtMs] = position.split(" ");
  invariant(offset !== undefined && createdAtMs !== undefined, "a position in a hub is a sequence number, an offset and the hub's age");
  return { sequence: Number(sequence), offset, createdAtMs: Number(createdAtMs) };
}

/** Compares the place that is stored with what the service has. */
export function judge(place: HubPlace, { begin, last, createdAtMs }: HubExtent): HubVerdict {
  if (createdAtMs !== place.createdAtMs) {
    return { type: "stop", reason: "the hub was made again under the same name: its events are others, and need a source of another name" };
  }
  if (last < place.sequence) {
    const reason = `its last event has number ${last}, but ${place.sequence} is stored: it was reset, and needs a source of another name`;
    return { type: "stop", reason };
  }
  return begin > place.sequence + 1 ? { type: "gap", lost: begin - place.sequence - 1 } : { type: "continues" };
}

/** Whether the service writes offsets as plain numbers. A geo-replicated hub does not, and its sequence numbers alone are no positions. */
export function isPlainOffset(offset: string): boolean {
  return /^-?\d+$/.test(offset);
}
