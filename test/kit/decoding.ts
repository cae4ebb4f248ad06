import { type Decoded, decode } from "../../engine/decode.ts";
import type { FaultCode } from "../../engine/fault.ts";
import type { Feed, RecordContext } from "../../engine/feed.ts";
import { DEFAULT_LIMITS, type Limits } from "../../engine/limits.ts";
import type { NoteCode } from "../../engine/note.ts";
import { type FeedSchema, firstSchema } from "../../engine/schema.ts";
import type { SourceRecord } from "../../engine/source.ts";

/** What a test gives as a record: JSON text, bytes, or values (`json`: to be written as JSON; `fields`, `cells`: as their format gives them). */
export type Given =
  | string
  | Uint8Array
  | { readonly json: object }
  | { readonly fields: Readonly<Record<string, unknown>> }
  | { readonly cells: Readonly<Record<string, string | null>> };

/** A record that arrived at 2025-06-15T12:00:00Z. */
export function recordOf(given: Given): SourceRecord {
  const record = { at: 0, arrivedAtMs: Date.UTC(2025, 5, 15, 12), bytes: new Uint8Array(0) };
  if (given instanceof Uint8Array) return { ...record, bytes: given };
  if (typeof given === "string") return { ...record, bytes: Buffer.from(given) };
  if ("json" in given) return { ...record, bytes: Buffer.from(JSON.stringify(given.json)) };
  return "cells" in given ? { ...record, fields: given.cells, cells: true } : { ...record, fields: given.fields };
}

/** What the record decodes to. Throws if it is refused. */
export function decoded(feed: Feed, given: Given, schema: FeedSchema = firstSchema(feed), limits: Limits = DEFAULT_LIMITS): Decoded {
  const result = decode(feed, recordOf(given), schema, limits);
  if ("code" in result) throw new Error(`refused: ${result.code} ${result.field}: ${result.error}`);
  if (result.row === null) throw new Error("decoded to nothing");
  return result;
}

/** Whether the record is sound and has no effect. */
export function isNothing(feed: Feed, given: Given): boolean {
  const result = decode(feed, recordOf(given), firstSchema(feed), DEFAULT_LIMITS);
  return !("code" in result) && result.row === null;
}

/** Why the record is refused: the code and, behind a blank, the field if there is one. Throws if it is not. */
export function refused(feed: Feed, given: Given, limits: Limits = DEFAULT_LIMITS): string {
  const result = decode(feed, recordOf(given), firstSchema(feed), limits);
  if (!("code" in result)) throw new Error(`decoded: ${JSON.stringify(result.row)}`);
  const code: FaultCode = result.code;
  return result.field === null ? code : `${code} ${result.field}`;
}

/** The codes of a record's notes, in order. */
export function noteCodes({ notes }: Decoded): readonly NoteCode[] {
  return notes.map(({ code }) => code);
}

/** What was rescued, column by column. */
export function rescuedOf({ rescued }: Decoded): unknown {
  return rescued === null ? null : JSON.parse(rescued);
}

/** What the feed's actors are told of the record. */
export function told<M>(feed: Feed<M>, given: Given, context: Partial<RecordContext> = {}): M {
  const { row, authored, before, extra } = decoded(feed, given);
  return feed.message(row, {
    path: null,
    generation: 0,
    mode: "delta",
    arrivedAtMs: 0,
    authored,
    before,
    absent: false,
    extra,
    ...context,
  });
}
