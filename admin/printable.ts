// C0 and C1 controls, DEL, soft hyphen, zero-width and bidirectional marks, line separators, byte order mark, tags.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const SHORT: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** Text that cannot move the cursor, change colours or hide: what is not a visible character becomes its escape (`\n`, `\u001b`). One line stays one line. */
export function printable(text: string): string {
  return text.replace(UNSEEN, (char) => SHORT[char] ?? unicode(char));
}

/** JSON that is safe to print, and still the same value: what `JSON.stringify` leaves as it is (DEL, C1, bidirectional marks) is escaped too. */
export function printableJson(value: unknown, indent?: number): string {
  return escapedJson(JSON.stringify(value, null, indent) ?? "null");
}

/** The same for JSON that is text already. */
export function escapedJson(json: string): string {
  return json.replace(UNSEEN, (char) => (char === "\n" ? char : unicode(char))); // A newline can only stand between values or lines.
}

function unicode(char: string): string {
  let text = "";
  for (let i = 0; i < char.length; i += 1) text += `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`;
  return text;
}

const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{1B000}-\u{1B2FF}\u{20000}-\u{3FFFD}])/u;
const JOINING = /^[\p{Mn}\p{Me}]/u;
const PLAIN = /^[ -~]*$/;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Columns that printable text takes on a terminal: 2 for East Asian wide characters and emoji, 0 for marks that join. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += widthOf(segment);
  return width;
}

/** The text in at most `widthMax` columns; where it was cut it ends in `…`. */
export function cut(text: string, widthMax: number): string {
  if (displayWidth(text) <= widthMax) return text;
  let kept = "";
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment);
    if (width > widthMax - 1) break; // One column is the ellipsis'.
    kept += segment;
  }
  return widthMax < 1 ? "" : `${kept}…`;
}

function widthOf(grapheme: string): number {
  if (WIDE.test(grapheme)) return 2;
  return JOINING.test(grapheme) ? 0 : 1;
}
