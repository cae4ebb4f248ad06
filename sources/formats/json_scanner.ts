/** Where a scan stands: in a value that goes on, behind its last byte, or before a byte that cannot be there. */
export type ScanState = "open" | "done" | "broken";

/** What may come next, outside of texts. */
const VALUE = 0;
const ELEMENT_OR_END = 1;
const KEY_OR_END = 2;
const KEY = 3;
const COLON = 4;
const COMMA_OR_END = 5;

/** No record that is small enough to be parsed is deeper. */
const DEPTH_MAX = 1_048_576;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;
const ARRAY = 0x5b;
const ARRAY_END = 0x5d;

/**
 * Finds where a JSON value ends, with the memory of its depth only; the bytes may come in pieces. It knows the order of brackets, keys, colons and
 * commas, which tells a value that goes on over the next line from a broken line; numbers and words are looked at by whoever parses the value.
 */
export class JsonScanner {
  state: ScanState = "open";
  readonly #containers: number[] = [];
  #next = VALUE;
  #inText = false;
  #isKey = false;
  #isEscaped = false;
  #inWord = false;

  /** Reads on at index `from`. Returns the index behind the value (`done`), of the byte that cannot be there (`broken`), or `bytes.length` (`open`). */
  scan(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && this.state === "open") {
      if (this.#inText) at = this.#text(bytes, at);
      else if (this.#inWord) at = this.#word(bytes, at);
      else at = this.#structure(bytes[at] as number, at);
    }
    return at;
  }

  #text(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (byte < 0x20) {
        this.state = "broken"; // A line end, say: it has to be escaped.
        return at;
      }
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) {
        this.#inText = false;
        if (this.#isKey) this.#next = COLON;
        else this.#valueEnds();
        return at + 1;
      }
    }
    return bytes.length;
  }

  #word(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && isWordByte(bytes[at] as number)) at += 1;
    if (at < bytes.length) {
      this.#inWord = false;
      this.#valueEnds();
    }
    return at;
  }

  #structure(byte: number, at: number): number {
    if (isBlank(byte)) return at + 1;
    if (!this.#take(byte)) {
      this.state = "broken";
      return at;
    }
    return this.#inWord ? at : at + 1;
  }

  /** False: the byte cannot be here. */
  #take(byte: number): boolean {
    switch (this.#next) {
      case KEY_OR_END:
      case KEY:
        if (byte === OBJECT_END && this.#next === KEY_OR_END) return this.#close(OBJECT);
        if (byte !== QUOTE) return false;
        return this.#openText(true);
      case COLON:
        this.#next = VALUE;
        return byte === 0x3a;
      case COMMA_OR_END:
        if (byte !== 0x2c) return this.#end(byte);
        this.#next = this.#containers.at(-1) === OBJECT ? KEY : VALUE;
        return true;
      case ELEMENT_OR_END:
        return byte === ARRAY_END ? this.#close(ARRAY) : this.#begin(byte);
      default:
        return this.#begin(byte);
    }
  }

  #begin(byte: number): boolean {
    if (byte === QUOTE) return this.#openText(false);
    if (byte === OBJECT || byte === ARRAY) {
      if (this.#containers.length === DEPTH_MAX) return false;
      this.#containers.push(byte);
      this.#next = byte === OBJECT ? KEY_OR_END : ELEMENT_OR_END;
      return true;
    }
    this.#inWord = isWordByte(byte);
    return this.#inWord;
  }

  #openText(isKey: boolean): true {
    this.#inText = true;
    this.#isKey = isKey;
    return true;
  }

  #end(byte: number): boolean {
    if (byte === OBJECT_END) return this.#close(OBJECT);
    return byte === ARRAY_END && this.#close(ARRAY);
  }

  #close(container: number): boolean {
    if (this.#containers.pop() !== container) return false;
    this.#valueEnds();
    return true;
  }

  #valueEnds(): void {
    this.#next = COMMA_OR_END;
    if (this.#containers.length === 0) this.state = "done";
  }
}

/** The white space of JSON. */
export function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Whatever may be in a number or a word, and what is often wrongly there. */
function isWordByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e
  );
}

/** Whether the bytes, taken as UTF-8, are one JSON value. */
export function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}
