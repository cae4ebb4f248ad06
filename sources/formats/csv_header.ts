import { parse } from "csv-parse/sync";
import { type Fault, fault } from "../../engine/fault.ts";
import { excerptOfRest, type FormatLimits } from "../excerpt.ts";
import { type Ending, type FileBytes, type Reading, START } from "../format.ts";
import { Window } from "../window.ts";
import { CsvScanner } from "./csv_scanner.ts";
import { isText, lengthOfMark } from "./text.ts";

/** The names of the columns, and the offset in the file behind them. */
export interface Header {
  readonly names: readonly string[];
  readonly end: number;
}

const HEAD_BYTES = 65_536;

/** Reads the header, which is the first line that is not blank. An ending, if there is none, or none that can be used. */
export async function headerOf(file: FileBytes, reading: Reading, limits: FormatLimits): Promise<Header | Ending> {
  const { arrivedAtMs, signal } = reading;
  const refuse = async ({ code, error }: Fault): Promise<Ending> => {
    const excerpt = await excerptOfRest(file, 0, limits, signal);
    return { type: "refused", at: START, rest: excerpt.record(0, arrivedAtMs, code, error) };
  };
  const window = new Window(file, 0);
  await window.advance(0, HEAD_BYTES);
  if (!isText(window.bytes)) return refuse(fault("bad_encoding", "the file is not UTF-8 text"));
  const scanner = new CsvScanner();
  let from = lengthOfMark(window.bytes);
  for (let at = from; ; ) {
    signal.throwIfAborted();
    const end = scanner.scan(window.bytes, at);
    const line = window.bytes.subarray(from, end);
    if (end < window.bytes.length) {
      if (line.toString().trim() !== "") {
        const names = namesOf(line, limits);
        return "code" in names ? refuse(names) : { names, end: window.base + end };
      }
      from = end + 1;
      at = from;
    } else if (line.length > limits.recordBytesMax) return refuse(fault("bad_csv", "the header is longer than a record may be"));
    else if (window.atEnd) {
      if (line.toString().trim() === "") return { type: "complete", at: { ...START, offset: file.sizeBytes } };
      const names = namesOf(line, limits);
      const ending = "code" in names ? await refuse(names) : null;
      return { type: "incomplete", at: START, rest: ending?.type === "refused" ? ending.rest : null };
    } else {
      await window.advance(from);
      at = end - from;
      from = 0;
    }
  }
}

const FORBIDDEN = ["__proto__", "constructor", "prototype"];

function namesOf(line: Buffer, limits: FormatLimits): readonly string[] | Fault {
  let names: readonly string[];
  try {
    names = (parse(line, { record_delimiter: ["\r\n", "\n", "\r"] })[0] ?? []).map((name) => name.trim());
  } catch {
    return fault("bad_csv", "the quoting of the header is broken");
  }
  if (names.length > limits.csvColumnsMax)
    return fault("bad_csv", `the header has ${names.length} columns, of which ${limits.csvColumnsMax} are allowed`);
  const forbidden = names.find((name) => FORBIDDEN.includes(name));
  if (forbidden !== undefined) return fault("forbidden_key", "the header has a name that is not allowed", forbidden);
  if (names.includes("")) return fault("bad_csv", "a column has no name");
  const repeated = names.find((name, n) => names.indexOf(name) !== n);
  if (repeated !== undefined) return fault("bad_csv", "two columns have the same name", repeated);
  if (names.length === 1 && /[;\t|]/.test(names[0] as string)) return fault("bad_csv", "the cells are not separated by commas");
  if (names.some((name) => /^[\d.,+-]+$|^\d{4}-\d\d-\d\d/.test(name))) return fault("bad_csv", "the first line holds values, and no names");
  return names;
}
