import { type Carried, type Command, type CommandHandler, CommandRefused, type Desk } from "./command.ts";
import type { ChangedRow, Commit } from "./commit.ts";
import { decode } from "./decode.ts";
import { PartsDraft } from "./journal.ts";
import { LogDraft } from "./log_draft.ts";
import { decodeQuarantine, encodeQuarantine, type QuarantineRow } from "./quarantine.ts";
import type { Batch, SourceRecord } from "./source.ts";
import type { Intake } from "./turn.ts";

/** What came of the row. */
export interface SettledRow {
  readonly id: string;
  readonly status: QuarantineRow["status"];
}

/** A record that is taken again is of a partition of its own, which is idle at once: where its source has got to says nothing of it, and it of that. */
const PARTITION = "retry";

/** A row is settled without effect: `id`. */
export const carryOutDrop: CommandHandler = (command, desk) => settled(openRow(command, desk), "dropped", desk);

/**
 * A record is decoded again, with the schema of today and the place and arrival that it had, in a turn like any other: `id`. If it is refused once more its row
 * stays, with one more attempt. A dead letter has been sent again before this, and is settled.
 */
export const carryOutRetry: CommandHandler = (command, desk) => {
  const row = openRow(command, desk);
  if (row.reason === "dead_letter") return settled(row, "retried", desk);
  const { intake, batch } = batchOf(row, desk);
  const commit = desk.turn.run(intake, batch);
  const isRefused = commit.rows.some(({ table, key }) => table === "quarantine" && key === row.id);
  const status = isRefused ? "open" : "retried";
  const after = rowOf({ ...row, status, attempts: row.attempts + (isRefused ? 1 : 0) });
  return carried({ ...commit, rows: [...commit.rows, after] }, { id: row.id, status }); // Of two rows with one key the last counts.
};

/** A dead letter that is to be sent again by its sink before the command is carried out; null: the row is none. */
export function letterOf(command: Command, store: Desk["store"]): QuarantineRow | null {
  const bytes = command.verb === "quarantine retry" ? store.get("quarantine", String(command.args["id"])) : null;
  const row = bytes === null ? null : decodeQuarantine(bytes);
  return row?.reason === "dead_letter" && row.status === "open" ? row : null;
}

/** Throws `CommandRefused` for one that is not there, or settled already. */
function openRow({ args }: Command, { store }: Pick<Desk, "store">): QuarantineRow {
  const id = String(args["id"]);
  const bytes = store.get("quarantine", id);
  if (bytes === null) throw new CommandRefused(`no quarantined record ${id}`, true);
  const row = decodeQuarantine(bytes);
  if (row.status !== "open") throw new CommandRefused(`${id} is ${row.status}`);
  return row;
}

/** The record as its source would give it. Throws `CommandRefused` if it cannot be told from what is kept. */
function batchOf(row: QuarantineRow, desk: Desk): { readonly intake: Intake; readonly batch: Batch } {
  const colon = row.source.indexOf(":");
  const name = colon < 0 ? row.source : row.source.slice(0, colon);
  const path = colon < 0 ? null : row.source.slice(colon + 1);
  const intake = desk.sources.find((one) => one.intake.source === name)?.intake;
  if (intake === undefined) throw new CommandRefused(`no source ${name}`, true);
  const [, origin = "", at] = /^(.*\/)(\d+)$/.exec(row.position) ?? [];
  if (at === undefined) throw new CommandRefused(`${row.id} is not one record: the whole file can be read again`);
  if (row.bytes.length < row.sizeBytes) throw new CommandRefused(`of ${row.id} only the first ${row.bytes.length} bytes are kept`);
  const record: SourceRecord = { at: Number(at), arrivedAtMs: row.arrivedAtMs, bytes: row.bytes };
  requireReadable(row, record, desk);
  const batch = { origin, path, partition: PARTITION, generation: 0, records: [record], resumeAt: new Map(), idle: true };
  return { intake, batch };
}

/** What came as cells of a file is kept as its line, which says nothing without the header. */
function requireReadable(row: QuarantineRow, record: SourceRecord, { world }: Desk): void {
  const decoded = decode(world.feed(row.feed), record, world.schema(row.feed), world.limits);
  if ("code" in decoded && decoded.code === "bad_json" && row.reason !== "bad_json")
    throw new CommandRefused(`what is kept of ${row.id} cannot be read without its file: put the corrected file there again`);
}

function settled(row: QuarantineRow, status: SettledRow["status"], { world }: Desk): Carried {
  const log = new LogDraft();
  log.clear(world.nextSequence);
  return carried({ parts: new PartsDraft(), log, rows: [rowOf({ ...row, status })] }, { id: row.id, status });
}

function rowOf(row: QuarantineRow): ChangedRow {
  return { table: "quarantine", key: row.id, value: encodeQuarantine(row) };
}

function carried(commit: Commit, detail: SettledRow): Carried {
  return { commit, result: "done", detail };
}
