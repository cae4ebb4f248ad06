import { BrokenInvariant, type Fault, fault } from "./fault.ts";
import { quarantineId, SourceId } from "./ids.ts";
import { encodeQuarantine, type QuarantineRow } from "./quarantine.ts";
import { Cause, type Effects, Refused, type Root } from "./root.ts";
import { writeRow } from "./row_codec.ts";
import { TOLD_GROUP, type Told } from "./told.ts";
import { utcDate } from "./utc_date.ts";
import type { World } from "./world.ts";

/**
 * Lets actors hear what others, elsewhere, have told them: each tell is a root of its own, under the cause that it had there. One that its actor
 * cannot take goes to quarantine, without bytes. No clock moves.
 */
export function hearAll(world: World, root: Root, all: readonly Told[], effects: Effects): void {
  for (const told of all) hear(world, root, told, effects);
}

function hear(world: World, root: Root, told: Told, effects: Effects): void {
  const { cause } = told;
  root.begin(causeOf(told));
  world.counters.add(TOLD_GROUP, "heard", 1);
  try {
    root.hear(told);
    root.finish(effects);
  } catch (error) {
    if (error instanceof BrokenInvariant) throw error;
    root.undo();
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return quarantine(world, told, error instanceof Refused ? error.fault : fault("handler_error", text), null, effects);
  }
  for (const { record, fault: refusal } of root.rejected)
    quarantine(world, { ...told, cause: { ...cause, ...record } }, refusal, record.text, effects);
}

function causeOf({ cause }: Told): Cause {
  const made = new Cause(cause.feed, cause.head, cause.origin, cause.source, cause.position);
  const { at, path, arrivedAtMs, eventTimeMs, key, date, schemaVersion } = cause;
  return Object.assign(made, { at, path, arrivedAtMs, eventTimeMs, key, date, schemaVersion });
}

function quarantine(world: World, { id: actor, cause }: Told, { code, field, error }: Fault, text: string | null, effects: Effects): void {
  const source = cause.path === null ? (cause.source ?? "") : `${cause.source}:${cause.path}`;
  const { feed, position, eventTimeMs, arrivedAtMs } = cause;
  const id = quarantineId(SourceId(cause.source ?? ""), position, code);
  const bytes = Buffer.from(text ?? "");
  const facts = { position, reason: code, field, error, actor, eventTimeMs, arrivedAtMs, sizeBytes: bytes.length, bytes };
  const row: QuarantineRow = { id, feed, source, attempts: 1, status: "open", ...facts };
  effects.rows.push({ table: "quarantine", key: id, value: encodeQuarantine(row) });
  world.counters.add(`quarantine ${feed}`, code, 1);
  const about = { head: cause.head, at: cause.at, arrivedAtMs, rescued: null, schemaVersion: 1 };
  const place = {
    table: world.table("quarantine"),
    key: id,
    ordinal: 0,
    date: utcDate(arrivedAtMs),
    actor: null,
    late: false,
    rules: null,
  };
  const cells = { quarantine_id: id, feed, reason: code, field, error, actor, event_time: eventTimeMs, size_bytes: bytes.length };
  writeRow(effects.log.open("curated"), about, { ...place, extra: null }, null, cells);
  effects.log.close("curated");
  world.counters.add("table", "quarantine", 1);
}
