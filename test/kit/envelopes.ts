// SQL Server rows as Debezium's connector writes the same changes. Written from Debezium's manual, and sharing no code with what reads them.

type Values = Readonly<Record<string, unknown>>;

/** How an envelope is written. Left out: bare, decimals as base64, dates as days. */
export interface EnvelopeOptions {
  /** `bare`, with `schema` and `payload`, or flattened by `ExtractNewRecordState`. */
  readonly shape?: "bare" | "wrapped" | "flattened";
  readonly decimals?: "precise" | "string" | "double";
  readonly dates?: "days" | "ms" | "us" | "ns" | "text";
}

/** Column -> scale. */
const SCALES: Readonly<Record<string, number>> = {
  units_consumed_kwh: 3,
  rate_per_kwh: 4,
  base_amount: 2,
  tax_amount: 2,
  total_amount: 2,
};
const DATES = ["billing_period_start", "billing_period_end", "due_date"];
const PER_DAY = { ms: 86_400_000n, us: 86_400_000_000n, ns: 86_400_000_000_000n } as const;
const DATE_NAMES = {
  days: "io.debezium.time.Date",
  ms: "io.debezium.time.Timestamp",
  us: "io.debezium.time.MicroTimestamp",
  ns: "io.debezium.time.NanoTimestamp",
  text: "io.debezium.time.ZonedTimestamp",
} as const;

/** JSON text of the envelopes of these rows, in their order: a before and its after image make one. */
export function envelopesOf(rows: readonly Values[], options: EnvelopeOptions = {}): readonly string[] {
  return rows.flatMap((row, n) => {
    switch (row["__$operation"]) {
      case 1:
        return [envelope("d", row, row, null, options)];
      case 2:
        return [envelope("c", row, null, row, options)];
      case 4:
        return [envelope("u", row, rows[n - 1] ?? null, row, options)];
      default:
        return [];
    }
  });
}

/** One change at the place of `row`. `place`: members of `source` that are otherwise. */
export function envelope(
  op: string,
  row: Values,
  before: Values | null,
  after: Values | null,
  options: EnvelopeOptions = {},
  place: Values = {},
): string {
  const { shape = "bare" } = options;
  const source = {
    version: "3.0.8.Final",
    connector: "sqlserver",
    name: "grid",
    ts_ms: Date.parse(String(row["cdc_timestamp"])),
    snapshot: "false",
    db: "billing",
    schema: "dbo",
    table: "billing_transactions",
    change_lsn: grouped(row["__$seqval"]),
    commit_lsn: grouped(row["__$start_lsn"]),
    event_serial_no: op === "u" ? 2 : 1,
    ...place,
  };
  const outerMs = source.ts_ms + 86_400_000; // When the connector came by: never the time of the change.
  const images = { before: before && columns(before, options), after: after && columns(after, options) };
  if (shape === "flattened") {
    const { ts_ms, commit_lsn, change_lsn } = source;
    const meta = { __op: op, __source_ts_ms: ts_ms, __source_commit_lsn: commit_lsn, __source_change_lsn: change_lsn, __ts_ms: outerMs };
    return written({ ...(images.after ?? images.before), ...meta, __deleted: op === "d" ? "true" : "false" });
  }
  const payload = { ...images, source, transaction: null, op, ts_ms: outerMs };
  return written(shape === "bare" ? payload : { schema: schemaOf(row, options), payload });
}

/** The bytes of an unscaled value in base64: the fewest in two's complement. */
export function base64Of(unscaled: bigint): string {
  let length = 1;
  while (BigInt.asIntN(8 * length, unscaled) !== unscaled) length += 1;
  return Buffer.from(
    BigInt.asUintN(8 * length, unscaled)
      .toString(16)
      .padStart(2 * length, "0"),
    "hex",
  ).toString("base64");
}

const RAW = "\u0001"; // Marks a number that JSON.stringify could not write.

function written(value: unknown): string {
  return JSON.stringify(value).replaceAll(/"\\u0001(-?\d+)"/g, "$1");
}

function columns(row: Values, { decimals = "precise", dates = "days" }: EnvelopeOptions): Values {
  const kept = Object.entries(row).filter(([name]) => !name.startsWith("__$") && name !== "cdc_timestamp");
  return Object.fromEntries(
    kept.map(([name, value]) => {
      const scale = SCALES[name];
      if (value === null) return [name, null];
      if (scale !== undefined) return [name, decimal(Number(value), scale, decimals)];
      return [name, DATES.includes(name) ? date(String(value), dates) : value];
    }),
  );
}

function decimal(value: number, scale: number, decimals: NonNullable<EnvelopeOptions["decimals"]>): unknown {
  if (decimals === "double") return value;
  return decimals === "string" ? value.toFixed(scale) : base64Of(BigInt(Math.round(value * 10 ** scale)));
}

function date(text: string, dates: NonNullable<EnvelopeOptions["dates"]>): unknown {
  if (dates === "text") return `${text}T00:00:00+05:30`;
  return dates === "days" ? daysOf(text) : `${RAW}${BigInt(daysOf(text)) * PER_DAY[dates]}`;
}

function daysOf(text: string): number {
  return Date.parse(text) / 86_400_000;
}

function schemaOf(row: Values, { decimals = "precise", dates = "days" }: EnvelopeOptions): Values {
  const fields = Object.keys(row).map((field) => {
    const scale = SCALES[field];
    if (scale !== undefined && decimals === "precise") {
      return { type: "bytes", optional: true, name: "org.apache.kafka.connect.data.Decimal", parameters: { scale: String(scale) }, field };
    }
    if (scale !== undefined) return { type: decimals, optional: true, field };
    return DATES.includes(field)
      ? { type: dates === "text" ? "string" : "int64", optional: true, name: DATE_NAMES[dates], field }
      : { type: "string", optional: true, field };
  });
  const images = ["before", "after"].map((field) => ({ type: "struct", optional: true, name: "grid.Value", field, fields }));
  return { type: "struct", optional: false, name: "grid.Envelope", fields: [...images, { type: "struct", field: "source", fields: [] }] };
}

/** `0x0A3B5C0010` as Debezium spells it: 0000000a:3b5c0010... in groups of 8, 8 and 4 digits. */
function grouped(lsn: unknown): string {
  const digits = String(lsn).replace(/^0x/, "").toLowerCase().padStart(20, "0");
  return [digits.slice(0, 8), digits.slice(8, 16), digits.slice(16)].join(":");
}
