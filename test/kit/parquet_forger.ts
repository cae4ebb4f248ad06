import { crc32 } from "node:zlib";

/** A field of a struct: number and value. Whole numbers are written as I32 (`i32`) or I64 (`i64`). */
export type Field = readonly [id: number, value: Value];
export type Value =
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly text: string }
  | { readonly struct: readonly Field[] }
  | { readonly list: readonly Value[]; readonly claims?: number };

/** What a forged file says; everything else about it is sound. */
export interface Forgery {
  /** The page bodies of the one column; INT32, required, plain. */
  readonly pages?: readonly ForgedPage[];
  readonly codec?: number;
  readonly type?: number;
  readonly rows?: number;
  readonly values?: number;
  /** How often the row group stands in the footer. */
  readonly groups?: number;
  readonly offset?: number;
  readonly compressedBytes?: number;
  readonly column?: readonly Field[];
  readonly name?: string;
  /** Instead of the whole footer. */
  readonly footer?: Buffer;
  readonly footerLength?: number;
}

export interface ForgedPage {
  readonly body: Buffer;
  readonly values: number;
  readonly decodedBytes?: number;
  readonly storedBytes?: number;
  readonly crc?: number;
  /** 0 plain, 8 by dictionary. */
  readonly encoding?: number;
  /** True: a dictionary page. */
  readonly isDictionary?: boolean;
}

/** A page of INT32 values, plain, with a right checksum. */
export function plainPage(values: readonly number[]): ForgedPage {
  const body = Buffer.alloc(values.length * 4);
  values.forEach((value, n) => {
    body.writeInt32LE(value, n * 4);
  });
  return { body, values: values.length, crc: crc32(body) | 0 };
}

/** Writes a small Parquet file with one column `n`, in which any number may be a lie. */
export function forgeParquet(forgery: Forgery = {}): Buffer {
  const pages = forgery.pages ?? [plainPage([1, 2, 3])];
  const data = Buffer.concat(pages.map(page));
  const rows = forgery.rows ?? pages.reduce((sum, { values, isDictionary }) => sum + (isDictionary === true ? 0 : values), 0);
  const hasDictionary = pages[0]?.isDictionary === true;
  const dataAt = 4 + (hasDictionary ? page(pages[0] as ForgedPage).length : 0);
  const type = forgery.type ?? 1;
  const column: readonly Field[] = [
    [1, { i32: type }],
    [2, { list: [{ i32: 0 }, { i32: 8 }] }],
    [3, { list: [{ text: forgery.name ?? "n" }] }],
    [4, { i32: forgery.codec ?? 0 }],
    [5, { i64: forgery.values ?? rows }],
    [6, { i64: data.length }],
    [7, { i64: forgery.compressedBytes ?? data.length }],
    [9, { i64: forgery.offset ?? dataAt }],
    ...(hasDictionary ? ([[11, { i64: 4 }]] as const) : []),
  ];
  const chunk: Value = { struct: [[2, { i64: 4 }], [3, { struct: column }], ...(forgery.column ?? [])] };
  const group: Value = {
    struct: [
      [1, { list: [chunk] }],
      [2, { i64: data.length }],
      [3, { i64: rows }],
    ],
  };
  const groups = forgery.groups ?? 1;
  const footer = struct([
    [1, { i32: 1 }],
    [
      2,
      {
        list: [
          {
            struct: [
              [4, { text: "schema" }],
              [5, { i32: 1 }],
            ],
          },
          {
            struct: [
              [1, { i32: type }],
              [3, { i32: 0 }],
              [4, { text: forgery.name ?? "n" }],
            ],
          },
        ],
      },
    ],
    [3, { i64: rows * groups }],
    [4, { list: Array.from({ length: groups }, () => group) }],
  ]);
  return sealed(data, forgery.footer ?? footer, forgery.footerLength);
}

function sealed(data: Buffer, footer: Buffer, claims = footer.length): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(claims);
  return Buffer.concat([Buffer.from("PAR1"), data, footer, length, Buffer.from("PAR1")]);
}

function page({ body, values, decodedBytes, storedBytes, crc, encoding = 0, isDictionary = false }: ForgedPage): Buffer {
  const description: readonly Field[] = isDictionary
    ? [
        [1, { i32: values }],
        [2, { i32: 0 }],
      ]
    : [
        [1, { i32: values }],
        [2, { i32: encoding }],
        [3, { i32: 3 }],
        [4, { i32: 3 }],
      ];
  const header = struct([
    [1, { i32: isDictionary ? 2 : 0 }],
    [2, { i32: decodedBytes ?? body.length }],
    [3, { i32: storedBytes ?? body.length }],
    ...(crc === undefined ? [] : ([[4, { i32: crc }]] as const)),
    [isDictionary ? 7 : 5, { struct: description }],
  ]);
  return Buffer.concat([header, body]);
}

/** A struct in Thrift's compact protocol. */
export function struct(fields: readonly Field[]): Buffer {
  let last = 0;
  const parts = fields.map(([id, value]) => {
    const head = Buffer.from([((id - last) << 4) | typeOf(value)]);
    last = id;
    return Buffer.concat([head, bytesOf(value)]);
  });
  return Buffer.concat([...parts, Buffer.from([0])]);
}

function typeOf(value: Value): number {
  if ("i32" in value) return 5;
  if ("i64" in value) return 6;
  if ("text" in value) return 8;
  return "list" in value ? 9 : 12;
}

function bytesOf(value: Value): Buffer {
  if ("i32" in value) return varint(zigzag(value.i32));
  if ("i64" in value) return varint(zigzag(value.i64));
  if ("text" in value) return Buffer.concat([varint(BigInt(Buffer.byteLength(value.text))), Buffer.from(value.text)]);
  if ("struct" in value) return struct(value.struct);
  const [first] = value.list;
  const head = Buffer.from([0xf0 | (first === undefined ? 12 : typeOf(first))]);
  return Buffer.concat([head, varint(BigInt(value.claims ?? value.list.length)), ...value.list.map(bytesOf)]);
}

function zigzag(value: number): bigint {
  const whole = BigInt(value);
  return whole < 0n ? -whole * 2n - 1n : whole * 2n;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}
