import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Emission } from "../engine/emission.ts";
import { BrokenInvariant, orUnavailable } from "../engine/fault.ts";
import { Mark } from "../engine/ids.ts";
import type { Sink } from "../engine/sink.ts";
import type { SinkCursor } from "../engine/sink_cursor.ts";
import type { DeclaredTable, NumberedRow } from "./delta_column.ts";
import { syncFolder } from "./durable.ts";
import { ownOutput } from "./output_owner.ts";
import { rowJson } from "./row_json.ts";

/** `cursor` is the stored one. `passing` is told at each point where a crash would leave something different behind; a test throws there. */
export interface JsonLinesOptions {
  readonly name: string;
  readonly path: string;
  readonly storeId: string;
  readonly cursor: SinkCursor;
  /** All that rows of the stream may be of. Left out: the stream of alerts. */
  readonly tables?: readonly DeclaredTable[];
  readonly passing?: (point: string) => void;
}

/**
 * A file with a CloudEvent on each line, every alert event once and in order; of the other stream, with a curated row on each. The mark is the file's length in bytes; what lies beyond it was
 * never settled and is cut off. Folder and file are made. Throws `BrokenInvariant` if settled lines are missing, `Unavailable` if the file
 * cannot be opened or another store writes it.
 */
export async function jsonLines({ name, path, storeId, cursor, tables = [], passing = () => {} }: JsonLinesOptions): Promise<Sink> {
  let lengthBytes = Number(cursor.mark ?? 0);
  const toJson = rowJson(tables);
  const owned = await orUnavailable(path, ownOutput(path, storeId));
  const file = await orUnavailable(path, openAt(path, lengthBytes));

  async function append(bytes: Uint8Array): Promise<void> {
    await file.truncate(lengthBytes); // A failed attempt may have left half a line.
    passing("json_lines.append");
    await file.appendFile(bytes);
    passing("json_lines.sync");
    await file.datasync();
    passing("json_lines.synced");
  }

  return {
    name,
    async write(emissions: readonly Emission[]): Promise<Mark> {
      const bytes = linesOf(emissions, toJson);
      await orUnavailable(path, append(bytes));
      lengthBytes += bytes.length;
      return Mark(String(lengthBytes));
    },
    async close() {
      await file.close();
      await owned.release();
    },
  };
}

const LF = 0x0a;

function linesOf(emissions: readonly Emission[], toJson: (numbered: NumberedRow) => string): Uint8Array {
  const events = emissions.map((emission) => (emission.stream === "alerts" ? emission.json : Buffer.from(toJson(emission))));
  const lines = new Uint8Array(events.reduce((sum, json) => sum + json.length + 1, 0));
  let at = 0;
  for (const json of events) {
    lines.set(json, at);
    lines[at + json.length] = LF;
    at += json.length + 1;
  }
  return lines;
}

async function openAt(path: string, lengthBytes: number): Promise<FileHandle> {
  const file = await open(path, "a");
  try {
    await syncFolder(dirname(path));
    const { size } = await file.stat();
    if (size < lengthBytes) {
      throw new BrokenInvariant(
        `${path} has ${size} bytes, but ${lengthBytes} were written and settled: put the file back, or give this sink another path and name`,
      );
    }
    await file.truncate(lengthBytes);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
