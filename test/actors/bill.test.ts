import * as assert from "uvu/assert";
import { ActorId } from "../../engine/ids.ts";
import { type Arrival, CRASH, type Script, type Seen } from "../kit/given.ts";
import { AFTER, BEFORE, change, DELETE, given, INSERT } from "../kit/grid.ts";
import { at } from "../kit/puppets.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = Number(process.env["SEED"] ?? 20_250_615);
const BILL = ActorId("bill", "TXN-00000042");

const test = suite("bill");

const cells = (seen: Seen, ...names: readonly string[]): unknown =>
  seen.rows("billing_changes").map((row) => names.map((name) => row.cells[name]));
const notes = (seen: Seen): Readonly<Record<string, number>> => seen.counters("note billing");

const insert = change(0, INSERT);
const before = change(1, BEFORE);
const after = change(1, AFTER, { base_amount: "2000.00", payment_status: "PAID" });

test("an insert is the bill, with amounts in paise", async () => {
  const seen = await given().when(insert);
  assert.is(seen.actor(BILL).status, "PENDING");
  assert.is(seen.actor(BILL).attributes["base_amount"], 296_807);
  assert.equal(cells(seen, "__$operation", "base_paise", "before_base_paise", "changed_columns"), [[2, 296_807, null, null]]);
  assert.equal(notes(seen), {});
});

test("an update is one row that says what was before", async () => {
  const seen = await given(insert).when(before, after);
  assert.is(seen.actor(BILL).status, "PAID");
  assert.equal(cells(seen, "__$operation", "base_paise", "before_base_paise", "before_base_amount", "changed_columns"), [
    [4, 200_000, 296_807, 296_807, "base_amount,payment_status"],
  ]);
  assert.equal(notes(seen), {});
});

test("a crash between the two images of an update changes nothing", async () => {
  const calm = await given(insert).when(before, after);
  const seen = await given(insert, before, CRASH).when(after);
  assert.is(seen.digest, calm.digest);
  assert.equal(cells(seen, "before_base_paise"), [[296_807]]);
});

test("an after image that comes first misses the one before it, and the bill is the same", async () => {
  const calm = await given(insert).when(before, after);
  const seen = await given(insert).when(after, before);
  assert.equal(seen.actor(BILL).attributes, calm.actor(BILL).attributes);
  assert.is(notes(seen)["missing_before"], 1);
  assert.equal(cells(seen, "before_base_paise"), [[296_807]]);
});

test("a deletion ends the bill, and its row is there", async () => {
  const seen = await given(insert).when(change(1, DELETE));
  assert.is(seen.actor(BILL).status, null);
  assert.equal(seen.actor(BILL).attributes, {});
  assert.equal(cells(seen, "__$operation", "before_base_paise"), [[1, 296_807]]);
  assert.equal(notes(seen), {});
});

test("what a change finds otherwise than it should is noted, and nothing is lost", async () => {
  assert.is(notes(await given().when(change(1, DELETE)))["unknown_delete"], 1);
  assert.is(notes(await given(insert).when(change(1, INSERT)))["unexpected_insert"], 1);
  const unknown = notes(await given().when(after));
  assert.equal([unknown["missing_after_base"], unknown["missing_before"]], [1, 1]);
  assert.is(notes(await given(insert).when(change(1, BEFORE, { base_amount: "1.00" }), after))["before_differs"], 1);
});

test("every row that comes again is a duplicate", async () => {
  const rows = [insert, before, after, change(2, DELETE)];
  const once = await given().when(...rows);
  const seen = await given().when(...rows, ...rows, CRASH, ...rows);
  assert.is(seen.actor(BILL).count("duplicates"), 8);
  assert.equal(cells(seen, "position"), cells(once, "position"));
  assert.equal(seen.actor(BILL).attributes, once.actor(BILL).attributes);
});

test("shuffled, doubled and cut anywhere, the same rows give the same bills and sums (P-15)", async () => {
  const rows: Arrival[] = [];
  for (let bill = 1; bill <= 6; bill += 1) {
    const own = { transaction_id: `TXN-0000000${bill}`, customer_id: `CUST-00000${1 + (bill % 3)}` };
    rows.push(change(10 * bill, INSERT, own));
    rows.push(
      change(10 * bill + 1, BEFORE, own),
      change(10 * bill + 1, AFTER, { ...own, total_amount: "70.00", customer_id: "CUST-000009" }),
    );
    if (bill % 2 === 0) rows.push(change(10 * bill + 2, BEFORE, own), change(10 * bill + 2, AFTER, { ...own, payment_status: "PAID" }));
    if (bill % 3 === 0) rows.push(change(10 * bill + 3, DELETE, own));
  }
  const wanted = bills(await given().when(...rows));
  for (let run = 0; run < 20; run += 1) {
    const random = seeded(SEED + run);
    const shuffled = random.shuffled([...rows, ...rows]).flatMap((row): Script => (random.chance(20) ? [CRASH, row] : [row]));
    assert.equal(bills(await given().when(...shuffled)), wanted, `SEED=${SEED + run}`);
  }
});

/** Bills and their customers, as they are described. A customer of whom nothing was ever believed is like one without bills. */
function bills(seen: Seen): unknown {
  const described = [...seen.store.actors()].map(([id]) => [id, seen.actor(id).attributes] as const);
  return described.filter(([, { bills: count, billed_paise }]) => count !== 0 || billed_paise !== 0);
}

// Rules ---------------------------------------------------------------------------------------------------------------------------------

test("a bill of 0.01 to 50.00 rupees is tiny, both included", async () => {
  for (const [amount, isTiny] of [
    ["0.00", false],
    ["0.01", true],
    ["50.00", true],
    ["50.01", false],
    ["-1.00", false],
  ] as const) {
    const seen = await given().when(change(0, INSERT, { base_amount: amount }));
    assert.is(seen.rows("billing_changes")[0]?.rules, isTiny ? "billing.tiny_amount" : null, amount);
  }
});

test("a tiny bill for more than 20 kWh is major", async () => {
  for (const [units, severity] of [
    ["20.000", "info"],
    ["20.001", "major"],
    [null, "info"],
  ] as const) {
    const seen = await given().when(change(0, INSERT, { base_amount: "50.00", units_consumed_kwh: units }));
    assert.equal(
      seen.events.map(({ data }) => [data.rule, data.severity]),
      [["billing.tiny_amount", severity]],
    );
  }
});

test("neither a before image nor a deletion is judged", async () => {
  const tiny = { base_amount: "1.00" };
  const seen = await given().when(change(0, BEFORE, tiny), change(1, DELETE, tiny));
  assert.equal(seen.alerts, []);
});

test("an amount is far from units times rate beyond 2 percent and 5 rupees, in exact paise", async () => {
  const priced = (units: string, rate: string, base: string) =>
    change(0, INSERT, { units_consumed_kwh: units, rate_per_kwh: rate, base_amount: base });
  for (const [units, rate, base, severity] of [
    ["456.78", "6.50", "2968.07", null], // The guide's own: 1.00 rupee off.
    ["1000", "10.0000", "10200.00", null], // 2 percent to the paisa.
    ["1000", "10.0000", "10200.01", "warning"],
    ["1000", "10.0000", "9800.00", null],
    ["1000", "10.0000", "9799.99", "warning"],
    ["10", "10.0000", "105.00", null], // 5 rupees to the paisa.
    ["10", "10.0000", "105.01", "warning"],
    ["1000", "10.0000", "5000.00", "warning"],
    ["1000", "10.0000", "4999.99", "major"],
    ["0", "10.0000", "900.00", null],
  ] as const) {
    const seen = await given().when(priced(units, rate, base));
    assert.equal(
      seen.events.filter(({ data }) => data.rule === "billing.unit_price").map(({ data }) => data.severity),
      severity === null ? [] : [severity],
      `${units} x ${rate} = ${base}`,
    );
  }
});

test("money stays exact where binary numbers are not", async () => {
  const big = { units_consumed_kwh: "99999999999.999", rate_per_kwh: "0.9999", base_amount: "99989999999.99" };
  const seen = await given().when(change(0, INSERT, big));
  assert.equal(seen.alerts, []);
  assert.equal(cells(seen, "base_paise"), [[9_998_999_999_999]]);
});

test("a tiny bill is a pulse of an hour on the clock of its feed, which runs a minute behind", async () => {
  const tiny = change(0, INSERT, { base_amount: "1.00" });
  const other = (minute: number) => change(minute, INSERT, { transaction_id: "TXN-00000043" });
  assert.equal((await given(tiny).when(other(60.9))).alerts, []);
  assert.equal((await given(tiny).when(other(61))).alerts, [{ rule: "billing.tiny_amount", change: "cleared", atMs: at(60) }]);
});

test("a row with another spelling of its position is the same row", async () => {
  const seen = await given(change(0, INSERT, { __$start_lsn: "0x0A", __$seqval: "0x0b" })).when(
    change(0, INSERT, { __$start_lsn: "0x000000000a", __$seqval: "0000000000000000000B" }),
  );
  assert.is(seen.actor(BILL).count("duplicates"), 1);
});
