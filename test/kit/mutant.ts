import type { Seeded } from "./seeded.ts";

/** Texts at which readers have stumbled. */
const HOSTILE_TEXTS = [
  "",
  " ",
  "\0",
  "\u2028",
  "\ud800",
  "__proto__",
  "constructor",
  "toString",
  "then",
  "NaN",
  "1e400",
  "-0",
  "0x10",
  "1,5",
  "null",
  "N/A",
  "+275760-09-13",
  "2025-02-30T25:61:61Z",
  "9999-12-31T23:59:60Z",
  "=cmd()",
  "\u{1f600}",
  "x".repeat(2_000),
  "\u202e",
  "9007199254740993",
] as const;
const HOSTILE_NUMBERS = [
  0,
  -0,
  -1,
  1e308,
  -1e308,
  5e-324,
  2 ** 53,
  -(2 ** 53),
  2 ** 31,
  0.1,
  1e21,
  8.64e15,
  8.64e15 + 1,
  -62_167_219_200_001,
];

/** Another value in the place of one of a JSON value, or of several. The given one is not changed. */
export function mutantOf(value: unknown, random: Seeded): unknown {
  const copy = structuredClone(value);
  let root = copy;
  for (let changes = 1 + random.below(3); changes > 0; changes -= 1) root = changedSomewhere(root, random);
  return root;
}

function changedSomewhere(value: unknown, random: Seeded): unknown {
  if (typeof value !== "object" || value === null || random.chance(15)) return replacement(value, random);
  const keys = Object.keys(value);
  if (keys.length === 0) return replacement(value, random);
  const key = random.pick(keys);
  const members = value as Record<string, unknown>;
  if (!random.chance(30) || Array.isArray(value)) return Object.assign(value, { [key]: changedSomewhere(members[key], random) });
  const rest = Object.fromEntries(Object.entries(members).filter(([name]) => name !== key));
  const renamed = random.pick([...HOSTILE_TEXTS, key.toUpperCase(), `${key} `]);
  return random.chance(40) ? rest : Object.fromEntries([...Object.entries(rest), [renamed, members[key]]]);
}

function replacement(value: unknown, random: Seeded): unknown {
  const nested = (depth: number): unknown => (depth === 0 ? value : random.chance(50) ? [nested(depth - 1)] : { a: nested(depth - 1) });
  return random.pick([
    () => random.pick(HOSTILE_TEXTS),
    () => random.pick(HOSTILE_NUMBERS),
    () => null,
    () => random.chance(50),
    () => [],
    () => ({}),
    () => String(value),
    () => nested(1 + random.below(70)),
    () => Array.from({ length: random.below(30) }, () => value),
  ])();
}

/** Some bytes changed, taken out, doubled or put in; often at one place only. */
export function mutantBytes(bytes: Buffer, random: Seeded): Buffer {
  let mutant = Buffer.from(bytes);
  for (let changes = 1 + random.below(4); changes > 0 && mutant.length > 0; changes -= 1) {
    const at = random.below(mutant.length);
    const length = 1 + random.below(Math.min(16, mutant.length - at));
    const [head, middle, tail] = [mutant.subarray(0, at), mutant.subarray(at, at + length), mutant.subarray(at + length)];
    mutant = random.pick([
      () => Buffer.concat([head, Buffer.from([(middle[0] as number) ^ (1 << random.below(8))]), mutant.subarray(at + 1)]),
      () => Buffer.concat([head, tail]),
      () => Buffer.concat([head, middle, middle, tail]),
      () => head,
      () => Buffer.concat([head, Buffer.from(random.pick(HOSTILE_TEXTS)), tail]),
      () => Buffer.concat([head, Buffer.alloc(length, random.pick([0x00, 0x7f, 0x80, 0xff])), tail]),
    ])();
  }
  return mutant;
}

/** A table of cells as text, in which cells, lines and separators were changed. */
export function mutantTable(text: string, random: Seeded): string {
  const lines = text.split("\n").map((line) => line.split(","));
  for (let changes = 1 + random.below(3); changes > 0; changes -= 1) {
    const line = random.pick(lines);
    const at = random.below(line.length);
    random.pick([
      () => line.splice(at, 1, random.pick(HOSTILE_TEXTS)),
      () => line.splice(at, 1),
      () => line.splice(at, 0, line[at] ?? ""),
      () => line.splice(at, 1, `"${line[at]}`),
      () => line.splice(at, 1, `"${line[at]}"`),
      () => line.splice(at, 1, `"a\n""b${line[at]}"`),
      () => line.splice(at, 1, `${line[at]}\r`),
      () => lines.splice(random.below(lines.length), 0, [...line]),
    ])();
  }
  return lines.map((line) => line.join(random.chance(99) ? "," : ";")).join(random.chance(95) ? "\n" : "\r\n");
}
