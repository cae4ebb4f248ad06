import { once } from "node:events";
import { isMainThread, parentPort, type Worker, workerData } from "node:worker_threads";
import { type AsyncBuffer, type FileMetaData, parquetScan } from "hyparquet";
import { seconds } from "../../../engine/duration.ts";
import { startThread } from "../../../engine/thread.ts";
import { CODECS } from "./codecs.ts";
import { Damage, sound } from "./damage.ts";
import { rangesOf } from "./footer.ts";
import { PARQUET_LIMITS } from "./limits.ts";
import { checkPages } from "./pages.ts";
import { leavesOf } from "./schema.ts";
import { BadText, conversions, PARSERS } from "./values.ts";

/** A top-level column of a row group, and the bytes of the file that hold it. */
export interface ColumnTask {
  /** With this row group only. */
  readonly footer: FileMetaData;
  readonly name: string;
  /** Offset of the bytes in the file. */
  readonly begin: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The values of a column. A text that is not UTF-8 is null here, and its row is in `badRows`. */
export interface Column {
  readonly values: readonly unknown[];
  readonly badRows: readonly number[];
}

/**
 * Decodes columns in a thread of its own: a large one takes a while, and bytes made for it could keep a decoder busy for hours. Then the thread is
 * ended, and the column is damage. The thread starts with the first column and does not keep the process alive.
 */
export class Decoder {
  readonly #deadlineMs: number;
  readonly #heapBytesMax: number;
  #thread: Worker | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deadlineMs = seconds(30), heapBytesMax: number = PARQUET_LIMITS.heapMax) {
    this.#deadlineMs = deadlineMs;
    this.#heapBytesMax = heapBytesMax;
  }

  /** Throws `Damage` for bytes that are not the column. Its memory goes over to the thread. */
  decode(task: ColumnTask): Promise<Column> {
    const turn = this.#last.then(() => this.#decodeNow(task));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #decodeNow(task: ColumnTask): Promise<Column> {
    this.#thread ??= await startedThread(this.#heapBytesMax);
    const thread = this.#thread;
    thread.ref();
    const outcome = await answerTo(thread, task, this.#deadlineMs);
    if (outcome !== null) thread.unref();
    else {
      this.#thread = null;
      await thread.terminate();
    }
    sound(outcome !== null, "a column takes more time or memory than a decoder may have");
    if ("damage" in outcome) throw new Damage(outcome.damage);
    return outcome;
  }
}

/** Resolves once it has loaded what it needs. Rejects if it cannot: that is no fault of any file. */
async function startedThread(heapBytesMax: number): Promise<Worker> {
  const thread = startThread(import.meta.url, { isDecoder: true } satisfies Start, heapBytesMax);
  await once(thread, "message");
  return thread;
}

/** How often it is looked at within the deadline, and at most. */
const LOOKS = 20;
const LOOKS_MAX = 20 * LOOKS;

/** Null: the thread has ended, or does not answer in time. That is time of the processor, of this process: a busy machine makes no damage. */
function answerTo(thread: Worker, task: ColumnTask, deadlineMs: number): Promise<Outcome | null> {
  return new Promise((resolve) => {
    const settle = (outcome: Outcome | null): void => {
      clearInterval(watch);
      thread.off("message", settle);
      thread.off("error", fail);
      resolve(outcome);
    };
    const fail = (): void => settle(null);
    const before = process.cpuUsage();
    let looksLeft = LOOKS_MAX;
    const watch = setInterval(() => {
      looksLeft -= 1;
      const { user, system } = process.cpuUsage(before);
      if ((user + system) / 1_000 >= deadlineMs || looksLeft === 0) fail();
    }, deadlineMs / LOOKS);
    thread.on("message", settle);
    thread.on("error", fail);
    thread.postMessage(task, [task.bytes.buffer]);
  });
}

interface Start {
  readonly isDecoder: true;
}

/** An Error would arrive without its class. */
type Outcome = Column | { readonly damage: string };

// This file is its own worker, whose name is then right in the sources and in what is built of them.
if (!isMainThread && isStart(workerData)) {
  parentPort?.on("message", (task: ColumnTask) => void columnOf(task).then((outcome) => parentPort?.postMessage(outcome)));
  parentPort?.postMessage("ready");
}

function isStart(data: unknown): data is Start {
  return data instanceof Object && "isDecoder" in data;
}

/** Whatever the library makes of damaged bytes is damage: it has them all in memory, and nothing else can fail. */
async function columnOf(task: ColumnTask): Promise<Outcome> {
  try {
    check(task);
    return await decoded(task);
  } catch (error) {
    return { damage: error instanceof Error ? error.message : String(error) };
  }
}

function check({ footer, name, begin, bytes }: ColumnTask): void {
  const leaves = leavesOf(footer);
  const group = footer.row_groups[0];
  sound(group !== undefined, "there is no row group");
  for (const [n, range] of rangesOf(group).entries()) {
    const column = group.columns[n]?.meta_data;
    const leaf = leaves[n];
    if (column === undefined || leaf === undefined || column.path_in_schema[0] !== name) continue;
    checkPages(Buffer.from(bytes.buffer, range.begin - begin, range.end - range.begin), column, leaf);
  }
}

async function decoded({ footer: metadata, name, begin, bytes }: ColumnTask): Promise<Column> {
  const convert = conversions(metadata).get(name);
  sound(convert !== undefined, "a column is not in the schema");
  const file: AsyncBuffer = {
    byteLength: begin + bytes.length,
    slice(from, to = begin + bytes.length) {
      sound(from >= begin && to <= begin + bytes.length, "a column reaches beyond its bytes");
      return bytes.buffer.slice(from - begin, to - begin);
    },
  };
  const rows = Number(metadata.num_rows);
  const scan = await parquetScan({
    file,
    metadata,
    columns: [name],
    compressors: CODECS,
    parsers: PARSERS,
    utf8: false,
    useOffsetIndex: false,
  });
  const data = await scan.readColumn({ column: name, rowStart: 0, rowEnd: rows });
  sound(data.length === rows, "a column does not have the rows of its group");
  const badRows: number[] = [];
  const values = Array.from<unknown, unknown>(data, (value, row) => {
    const converted = convert(value);
    sound(converted !== undefined, "a value is not in the dictionary of its column"); // A null is null.
    if (!(converted instanceof BadText)) return converted;
    badRows.push(row);
    return null;
  });
  return { values, badRows };
}
