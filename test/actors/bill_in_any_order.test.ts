import * as assert from "uvu/assert";
import { bill } from "../../actors/bill.ts";
import { decodeFact, factPrefix } from "../../engine/fact_codec.ts";
import { History, type Version } from "../../engine/history.ts";
import { ActorId } from "../../engine/ids.ts";
import { billingRows } from "../../simulators/billing.ts";
import { gridOf } from "../../simulators/grid.ts";
import { billLives, type ChangeRow } from "../kit/bill_lives.ts";
import { type EnvelopeOptions, envelope, envelopesOf } from "../kit/envelopes.ts";
import { type Arrival, CRASH, type Script, type Seen } from "../kit/given.ts";
import { given, grid } from "../kit/grid.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = Number(process.env["SEED"] ?? 20_250_615);
const RUNS = 10;
const SCALES: Readonly<Record<string, number>> = {
  units_consumed_kwh: 1_000,
  rate_per_kwh: 10_000,
  base_amount: 100,
  tax_amount: 100,
  total_amount: 100,
};

const test = suite("bills in any order");

const arrival = (record: object | string, path = "billing.json"): Arrival => ({ feed: "billing", record, mode: "cdc", path });

/** Every bill and customer as it is described, by id. */
function actorsOf(seen: Seen): unknown {
  const ids = [...seen.store.actors()].map(([id]) => id).filter((id) => id.startsWith("bill/") || id.startsWith("customer/"));
  const described = ids.sort().map((id) => [id, seen.actor(id).status, seen.actor(id).attributes] as const);
  // A customer of whom nothing was ever believed is like one without bills.
  return described.filter(([, , { bills, billed_paise }]) => bills !== 0 || billed_paise !== 0);
}

function versionsOf(seen: Seen, id: ActorId): readonly Version[] {
  const facts = [...seen.store.range("fact", factPrefix(id))].map(([key, bytes]) => decodeFact(key, bytes));
  return new History(id, facts, bill.history ?? { untracked: [], ignored: [], ignoreNulls: [] }).versions;
}

/** The versions of all bills, as people see them: when, what, how it ended. `places`: with their positions. */
function histories(seen: Seen, places: boolean): unknown {
  const ids = [...seen.store.actors()].map(([id]) => id).filter((id) => id.startsWith("bill/"));
  return ids.sort().map((id) => [
    id,
    versionsOf(seen, id).map(({ scdVersion, from, to, fromMs, toMs, endedBy, values, changed }) => {
      const shown = { scdVersion, fromMs, toMs, endedBy, values, changed };
      return places ? { ...shown, from, to } : shown;
    }),
  ]);
}

/** The bills that the table holds in the end, and none beside them. */
function assertLeft(seen: Seen, left: ReadonlyMap<string, ChangeRow | null>, message: string): void {
  for (const [key, row] of left) {
    const { attributes } = seen.actor(ActorId("bill", key));
    assert.is(attributes["deleted"], row === null ? true : undefined, `${message} ${key}`);
    if (row === null) continue;
    const { transaction_id, ...columns } = row;
    const wanted = Object.entries(columns).map(([name, value]) => [
      name,
      typeof value === "number" ? Math.round(value * (SCALES[name] ?? 1)) : value,
    ]);
    assert.equal(attributes, Object.fromEntries(wanted), `${message} ${transaction_id}`);
  }
}

/** Any order, every row up to three times, crashes anywhere. */
function disturbed(random: Seeded, rows: readonly Arrival[]): Script {
  const more = rows.filter(() => random.chance(30));
  return random.shuffled([...rows, ...more, ...more]).flatMap((row): Script => (random.chance(10) ? [CRASH, row] : [row]));
}

test("in order, the rows leave the bills that the table holds, none of them suspect, and nothing odd", async () => {
  for (let run = 0; run < RUNS; run += 1) {
    const { rows, left } = billLives(seeded(SEED + run), { sparse: run % 2 === 0 });
    const seen = await given().when(...rows.map((row) => arrival(row)));
    assertLeft(seen, left, `SEED=${SEED + run}`);
    assert.equal(seen.counters("note billing"), {}, `SEED=${SEED + run}`);
    assert.equal(seen.quarantine, []);
  }
});

test("any order, batching and repetition of rows gives the same bills, customers and histories (P-15)", async () => {
  for (let run = 0; run < RUNS; run += 1) {
    const random = seeded(SEED + run);
    const { rows } = billLives(random, { sparse: run % 2 === 0 });
    const calm = await given().when(...rows.map((row) => arrival(row)));
    const cut = grid({ batchOf: () => 1 + random.below(7) });
    const seen = await cut().when(
      ...disturbed(
        random,
        rows.map((row) => arrival(row)),
      ),
    );
    assert.equal(actorsOf(seen), actorsOf(calm), `SEED=${SEED + run}`);
    assert.equal(histories(seen, true), histories(calm, true), `SEED=${SEED + run}`);
    const { read, accepted, duplicates = 0, quarantined = 0 } = seen.counters("feed billing");
    assert.is(read, (accepted ?? 0) + duplicates + quarantined, `SEED=${SEED + run}`);
  }
});

test("any order of files gives the same bills and histories, and orphans no before image", async () => {
  for (let run = 0; run < RUNS; run += 1) {
    const random = seeded(SEED + run);
    const { rows } = billLives(random);
    const calm = await given().when(...rows.map((row) => arrival(row)));
    const files: ChangeRow[][] = [];
    for (const row of rows) {
      const isCut = row["__$operation"] !== 4 && random.chance(20);
      if (isCut || files.length === 0) files.push([]);
      files.at(-1)?.push(row);
    }
    const script = random
      .shuffled([...files.keys()])
      .flatMap((n) => (files[n] as ChangeRow[]).map((row) => arrival(row, `billing_${n}.json`)));
    const seen = await given().when(...script);
    assert.equal(actorsOf(seen), actorsOf(calm), `SEED=${SEED + run}`);
    assert.equal(histories(seen, true), histories(calm, true), `SEED=${SEED + run}`);
    assert.equal(seen.quarantine, [], `SEED=${SEED + run}`);
  }
});

const OPTIONS: readonly EnvelopeOptions[] = (["bare", "wrapped"] as const).flatMap((shape) =>
  (["precise", "string", "double"] as const).flatMap((decimals) =>
    (["days", "ms", "us", "ns", "text"] as const).map((dates) => ({ shape, decimals, dates })),
  ),
);

test("Debezium's envelopes and the rows of the same changes give the same bills, customers and histories (P-17)", async () => {
  for (let run = 0; run < RUNS; run += 1) {
    const random = seeded(SEED + run);
    const { rows, left } = billLives(random);
    const options = random.pick(OPTIONS);
    const envelopes = envelopesOf(rows, options).map((text) => arrival(text));
    const calm = await given().when(...rows.map((row) => arrival(row)));
    const message = `SEED=${SEED + run} ${JSON.stringify(options)}`;
    const seen = await given().when(...envelopes.flatMap((one) => (random.chance(20) ? [one, arrival("")] : [one])));
    assertLeft(seen, left, message);
    assert.equal(seen.counters("note billing"), {}, message);
    const turned = await given().when(...disturbed(random, envelopes));
    for (const other of [seen, turned]) {
      assert.equal(actorsOf(other), actorsOf(calm), message);
      assert.equal(histories(other, false), histories(calm, false), message);
    }
  }
});

test("rows and envelopes of the same changes side by side are one stream", async () => {
  for (let run = 0; run < RUNS; run += 1) {
    const random = seeded(SEED + run);
    const { rows, left } = billLives(random, { commands: run % 2 === 0 });
    const both = [...rows.map((row) => arrival(row)), ...envelopesOf(rows).map((text) => arrival(text))];
    const calm = await given().when(...both);
    const seen = await given().when(...disturbed(random, both));
    const alone = await given().when(...rows.map((row) => arrival(row)));
    for (const one of [calm, seen]) {
      assertLeft(one, left, `SEED=${SEED + run}`);
      assert.equal(actorsOf(one), actorsOf(alone), `SEED=${SEED + run}`);
      assert.equal(histories(one, true), histories(alone, true), `SEED=${SEED + run}`);
    }
    assert.is(calm.counters("note billing")["conflict"], undefined, `SEED=${SEED + run}`);
  }
});

test("a flattened stream gives the same bills", async () => {
  const { rows, left } = billLives(seeded(SEED));
  const seen = await given().when(...envelopesOf(rows, { shape: "flattened" }).map((text) => arrival(text)));
  assertLeft(seen, left, `SEED=${SEED}`);
});

test("the generated feed, as rows and as envelopes, gives 240 bills: 210 live, 30 deleted with their last image (P-18)", async () => {
  const rows = [...billingRows(gridOf(42, 1))].map(({ row }): ChangeRow => ({ ...row }));
  assert.is(rows.length, 400);
  const streams = [rows.map((row) => arrival(row)), envelopesOf(rows, { shape: "wrapped" }).map((text) => arrival(text))];
  const seen = await Promise.all(streams.map((stream) => given().when(...stream)));
  for (const one of seen) {
    const bills = [...one.store.actors()].filter(([id]) => id.startsWith("bill/")).map(([id]) => one.actor(id));
    const deleted = bills.filter(({ attributes }) => attributes["deleted"] === true);
    assert.equal([bills.length, deleted.length], [240, 30]);
    for (const { attributes } of deleted) assert.type(attributes["total_amount"], "number");
    assert.equal(one.counters("note billing"), {});
  }
  assert.equal(actorsOf(seen[1] as Seen), actorsOf(seen[0] as Seen));
  assert.equal(histories(seen[1] as Seen, false), histories(seen[0] as Seen, false));
});

// Snapshots -----------------------------------------------------------------------------------------------------------------------------

/** Rows of a snapshot of what the table holds, taken when `row` was the last change in the log; with or without its LSN. */
function snapshotOf(left: ReadonlyMap<string, ChangeRow | null>, row: ChangeRow, place: object): readonly Arrival[] {
  return [...left.values()]
    .filter((one) => one !== null)
    .map((one) => arrival(envelope("r", row, null, one, {}, { change_lsn: null, ...place })));
}

test("a snapshot, with or without LSN, before or behind the changes, never beats a newer change", async () => {
  for (let run = 0; run < RUNS; run += 1) {
    const random = seeded(SEED + run);
    const { rows, left } = billLives(random);
    const cut = rows.findIndex(
      (row, n) => n > rows.length / 2 && row["__$operation"] !== 4 && row["__$start_lsn"] !== rows[n - 1]?.["__$start_lsn"],
    );
    const half = billLivesUntil(rows, cut);
    const last = rows[cut - 1] as ChangeRow;
    for (const place of [{}, { commit_lsn: null }]) {
      const snapshot = snapshotOf(half, last, place);
      const later = rows.slice(cut).map((row) => arrival(row));
      for (const script of [
        [...snapshot, ...later],
        [...later, ...snapshot],
        disturbed(random, [...snapshot, ...later]),
        disturbed(random, [...snapshot, ...rows.map((row) => arrival(row))]),
      ]) {
        const seen = await given().when(...script);
        const touched = [...left].filter(
          ([key]) => half.has(key) || later.some(({ record }) => (record as ChangeRow)["transaction_id"] === key),
        );
        assertLeft(
          seen,
          new Map(touched.filter(([key, row]) => row !== null || half.get(key) !== null)),
          `SEED=${SEED + run} ${JSON.stringify(place)}`,
        );
      }
    }
  }
});

/** What the first `count` rows leave. */
function billLivesUntil(rows: readonly ChangeRow[], count: number): ReadonlyMap<string, ChangeRow | null> {
  const left = new Map<string, ChangeRow | null>();
  for (const row of rows.slice(0, count)) {
    const { __$operation: operation, __$start_lsn, __$seqval, __$update_mask, __$command_id, cdc_timestamp, ...image } = row;
    if (operation !== 3) left.set(String(row["transaction_id"]), operation === 1 ? null : image);
  }
  return left;
}

test("a snapshot taken again repeats what is the same, and changes what is not", async () => {
  const { rows, left } = billLives(seeded(SEED), { transactions: 12 });
  const first = snapshotOf(left, rows.at(-1) as ChangeRow, { commit_lsn: null });
  const [changed] = first;
  const envelopeText = String(changed?.record);
  const atMs = Number(/"ts_ms":(\d+)/.exec(envelopeText)?.[1]);
  const again = (record: string, laterMs: number) => arrival(record.replace(`"ts_ms":${atMs}`, `"ts_ms":${atMs + laterMs}`));
  const overdue = envelopeText.replace(/"payment_status":"\w+"/, '"payment_status":"LATE"');
  const seen = await given(...first).when(...first.map(({ record }) => again(String(record), 60_000)), again(overdue, 120_000));
  assert.is(seen.counters("feed billing")["duplicates"], first.length);
  assert.is(seen.rows("billing_changes").length, 1);
  assert.is(seen.rows("billing_changes")[0]?.cells["changed_columns"], "payment_status");
  const turned = await given(again(overdue, 120_000)).when(...first);
  assert.equal(actorsOf(turned), actorsOf(seen), "the later snapshot holds, whichever comes first");
  for (const status of ["A", "B", "C", "D", "E", "F"]) {
    const later = again(envelopeText.replace(/"payment_status":"\w+"/, `"payment_status":"${status}"`), 120_000);
    for (const script of [
      [changed as Arrival, later],
      [later, changed as Arrival],
    ]) {
      const one = await given().when(...script);
      assert.equal(
        [...one.store.actors()].map(([id]) => one.actor(id).status).filter((known) => known !== null),
        [status],
      );
    }
  }
});
