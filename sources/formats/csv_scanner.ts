const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

/** Finds where a CSV record ends (RFC 4180): at a line end outside of quotes. The bytes may come in pieces. */
export class CsvScanner {
  #where: "begin" | "plain" | "quoted" | "quote" = "begin";

  /** True: inside of a quoted cell. */
  get isQuoted(): boolean {
    return this.#where === "quoted";
  }

  /** Reads on at index `from`. Returns the index of the line end that ends the record, and is then ready for the next; `bytes.length`: none yet. */
  scan(bytes: Uint8Array, from: number): number {
    let where = this.#where;
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (where === "quoted") {
        if (byte === QUOTE) where = "quote";
      } else if (byte === LF || byte === CR) {
        this.#where = "begin";
        return at;
      } else if (byte === QUOTE) {
        if (where === "begin" || where === "quote") where = "quoted"; // At a cell's begin, or doubled; anywhere else it is an error and opens nothing.
      } else where = byte === COMMA ? "begin" : "plain";
    }
    this.#where = where;
    return bytes.length;
  }
}
