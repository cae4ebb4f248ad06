import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Clock } from "../../engine/clock.ts";
import { seconds } from "../../engine/duration.ts";
import type { Asker } from "../asker.ts";
import { CommandError } from "../errors.ts";
import { columnsOf, FORMATS, type Format, flattened, formatJson, formatRows, type Screen } from "../format.ts";
import { displayWidth } from "../printable.ts";
import { nearest } from "../suggest.ts";
import { spanText } from "../time.ts";
import { type Answer, askedBack, isWrite, type Query, textOf, type Verb, type WriteVerb } from "../verb.ts";
import { cutOf } from "../verbs.ts";
import type { Writer } from "../writer.ts";
import { helpText } from "./help.ts";
import { type Line, type Pipe, parseLine } from "./parse_line.ts";

/** What a session works with. */
export interface SessionOptions {
  readonly asker: Asker;
  /** Null: lines that change something are refused. */
  readonly writer: Writer | null;
  readonly clock: Clock;
  /** Null: no terminal. */
  readonly screen: () => Screen | null;
  readonly format: Format;
  readonly limit: number;
  readonly cwd: string;
}

/** Where a line's answer goes: `out` is data, `note` everything else. */
export interface Outlets {
  readonly out: (text: string) => void;
  readonly note: (text: string) => void;
  /** Asks a person whether something is meant. Left out: nobody can answer, and what is said is meant. */
  readonly confirm?: (question: string) => Promise<boolean>;
}

export const METAS: readonly string[] = ["\\watch", "\\x", "\\format", "\\timing", "\\limit", "\\help", "\\q"];
const WATCH_S = 2;
const WIDE_TABLES = ["on", "off", "auto"] as const;

/** A conversation, line after line: formats and limits that are set hold for the lines that follow. */
export class Session {
  readonly #options: SessionOptions;
  #format: Format;
  #limit: number;
  #oneFieldPerLine: (typeof WIDE_TABLES)[number] = "off";
  #isTimed = false;
  #last: Line | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#format = options.format;
    this.#limit = options.limit;
  }

  /** Answers one line. False: it was the last one. Rejects with `CommandError`. */
  async run(text: string, outlets: Outlets, signal: AbortSignal): Promise<boolean> {
    const line = text.trim();
    if (line === "" || line.startsWith("#")) return true;
    if (line.startsWith("\\")) return this.#meta(line.split(/\s+/), outlets, signal);
    if (/^(?:quit|exit)$/i.test(line)) return false;
    if (/^help(?:\s|$)/i.test(line)) {
      outlets.out(helpText(line.split(/\s+/).slice(1).join(" ")));
      return true;
    }
    const parsed = parseLine(line);
    this.#last = isWrite(parsed.verb) ? null : parsed; // What changes something is not repeated.
    await this.#answer(parsed, outlets, signal);
    return true;
  }

  /** Returns how many rows there were. */
  async #answer({ verb, query, pipes }: Line, outlets: Outlets, signal: AbortSignal): Promise<number> {
    const { out, note } = outlets;
    const { clock } = this.#options;
    const beganMs = clock.now();
    const answer = isWrite(verb) ? await this.#write(verb, query, outlets, signal) : await this.#ask(verb, query, signal);
    const headed = pipes.reduce(cutToHead, answer);
    let shown = pipes.some(({ type }) => type === "count") ? `${countOf(answer)}\n` : this.#text({ verb, query, pipes }, headed.value);
    for (const pipe of pipes) if (pipe.type === "grep") shown = linesWith(shown, pipe.text);
    const file = pipes.find((pipe) => pipe.type === "file");
    if (file === undefined) out(shown);
    else await this.#save(file.path, shown, note);
    const cut = cutOf(answer);
    if (cut !== null && headed === answer && !pipes.some(({ type }) => type === "count"))
      note(`${cut.shown} of at least ${cut.found}; add --limit ${cut.found}\n`);
    if (this.#isTimed) note(`${spanText(clock.now() - beganMs)}\n`);
    return Array.isArray(headed.value) ? headed.value.length : 1;
  }

  #ask(verb: Verb, query: Query, signal: AbortSignal): Promise<Answer> {
    const takesLimit = verb.options.some(({ name }) => name === "limit");
    const isLimited = takesLimit && query["limit"] === undefined && this.#limit !== DEFAULT_LIMIT;
    return this.#options.asker.ask(verb.name, isLimited ? { ...query, limit: String(this.#limit) } : query, signal);
  }

  async #write({ name, args, warning }: WriteVerb, query: Query, { confirm }: Outlets, signal: AbortSignal): Promise<Answer> {
    const { writer } = this.#options;
    if (writer === null) throw new CommandError("USAGE", `${name} changes the state`, { hint: "gridactor repl --write" });
    const words = [name, ...args.flatMap((arg) => textOf(query, arg.name) ?? [])].join(" ");
    if (query["yes"] !== true && confirm !== undefined && !(await confirm(askedBack(words, warning))))
      throw new CommandError("REFUSED", "nothing was changed");
    return writer.write(name, query, { by: "", key: null }, signal);
  }

  #text({ verb, query, pipes }: Line, value: unknown): string {
    const hasFile = pipes.some(({ type }) => type === "file");
    const screen = hasFile ? null : this.#options.screen();
    const piped = pipes.findLast((pipe) => pipe.type === "format");
    const format = piped?.format ?? this.#format;
    if (format === "json") return formatJson(value, screen);
    if (typeof value !== "object" || value === null) return verb.text(value, query, screen);
    if (format === "table" && !(piped === undefined && this.#isTooWide(verb, query, value, screen))) return verb.text(value, query, screen);
    const nested = (Array.isArray(value) ? value : [value]) as readonly Readonly<Record<string, never>>[];
    const rows = format === "csv" ? flattened(nested) : nested;
    return formatRows(rows, columnsOf(rows), format === "table" ? "line" : format, screen);
  }

  #isTooWide(verb: Line["verb"], query: Query, value: object, screen: Screen | null): boolean {
    if (this.#oneFieldPerLine !== "auto" || screen === null || !Array.isArray(value)) return this.#oneFieldPerLine === "on";
    const uncut = verb.text(value, query, { color: false, widthMax: Number.POSITIVE_INFINITY });
    return uncut.split("\n").some((line) => displayWidth(line) > screen.widthMax);
  }

  async #save(path: string, text: string, note: Outlets["note"]): Promise<void> {
    const file = resolve(this.#options.cwd, path);
    await writeFile(file, text).catch((error: NodeJS.ErrnoException) => {
      throw new CommandError("REFUSED", `cannot write ${file}: ${error.code}`);
    });
    note(`written to ${file}\n`);
  }

  async #meta([meta = "", ...words]: readonly string[], outlets: Outlets, signal: AbortSignal): Promise<boolean> {
    const [word] = words;
    switch (meta) {
      case "\\q":
        return false;
      case "\\help":
        outlets.out(helpText(words.join(" ")));
        return true;
      case "\\x":
        this.#oneFieldPerLine = word === undefined ? (this.#oneFieldPerLine === "on" ? "off" : "on") : oneOf(word, WIDE_TABLES, "\\x");
        outlets.note(`one field per line: ${this.#oneFieldPerLine}\n`);
        return true;
      case "\\format":
        this.#format = oneOf(word ?? "", FORMATS, "\\format");
        return true;
      case "\\timing":
        this.#isTimed = !this.#isTimed;
        outlets.note(`timing: ${this.#isTimed ? "on" : "off"}\n`);
        return true;
      case "\\limit":
        this.#limit = wholeNumber(word ?? "", "\\limit");
        return true;
      case "\\watch":
        await this.#watch(words, outlets, signal);
        return true;
    }
    const near = nearest(meta, METAS);
    throw new CommandError("USAGE", `unknown "${meta}"`, { hint: METAS.join(" "), candidates: near === null ? [] : [near] });
  }

  /** Repeats the last line until the signal fires. `c=`: so many times; `m=`: while at least so many rows come. */
  async #watch(words: readonly string[], outlets: Outlets, signal: AbortSignal): Promise<void> {
    const line = this.#last;
    if (line === null) throw new CommandError("USAGE", "no line to repeat: what changes something is said again");
    const { every = WATCH_S, c: times = Number.POSITIVE_INFINITY, m: rowsMin = 0 } = watchSettings(words);
    for (let n = 0; n < times && !signal.aborted; n += 1) {
      if (n > 0) await this.#options.clock.sleep(seconds(every), signal);
      if (signal.aborted || (await this.#answer(line, outlets, signal)) < rowsMin) return;
    }
  }
}

const DEFAULT_LIMIT = 100;

function watchSettings(words: readonly string[]): { readonly every?: number; readonly c?: number; readonly m?: number } {
  return Object.fromEntries(
    words.map((word) => {
      const [, name, number] = /^([cm])=(\d{1,9})$/.exec(word) ?? [];
      if (name !== undefined) return [name, Number(number)];
      const every = Number(word);
      if (word.trim() === "" || !(every > 0)) throw new CommandError("USAGE", `\\watch: "${word}" is neither seconds nor c= nor m=`);
      return ["every", every];
    }),
  );
}

function cutToHead(answer: Answer, pipe: Pipe): Answer {
  return pipe.type === "head" && Array.isArray(answer.value) ? { value: answer.value.slice(0, pipe.rows) } : answer;
}

function countOf({ value, found }: Answer): number {
  return found ?? (Array.isArray(value) ? value.length : 1);
}

function linesWith(text: string, wanted: string): string {
  const lower = wanted.toLowerCase();
  const lines = text.split("\n").filter((line) => line !== "" && line.toLowerCase().includes(lower));
  return lines.map((line) => `${line}\n`).join("");
}

function oneOf<Word extends string>(text: string, known: readonly Word[], what: string): Word {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  const near = nearest(text, known);
  throw new CommandError("USAGE", `${what}: "${text}" is none of ${known.join(", ")}`, { candidates: near === null ? [] : [near] });
}

function wholeNumber(text: string, what: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CommandError("USAGE", `${what}: "${text}" is no whole number`);
}
