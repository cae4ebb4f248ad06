import * as assert from "uvu/assert";
import { bill } from "../../actors/bill.ts";
import { positionOf } from "../../actors/feeds/lsn.ts";
import { decodeFact, factPrefix } from "../../engine/fact_codec.ts";
import { readGaps } from "../../engine/gaps.ts";
import { History, type Version } from "../../engine/history.ts";
import { ActorId } from "../../engine/ids.ts";
import { envelope } from "../kit/envelopes.ts";
import { type Arrival, CRASH, type Script, type Seen } from "../kit/given.ts";
import { AFTER, BEFORE, change, DELETE, given, INSERT } from "../kit/grid.ts";
import { at } from "../kit/puppets.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = Number(process.env["SEED"] ?? 20_250_615);
const BILL = ActorId("bill", "TXN-00000042");
const PAYER = ActorId("customer", "CUST-000789");

const test = suite("bill");

type Row = Readonly<Record<string, unknown>>;

const cells = (seen: Seen, ...names: readonly string[]): unknown =>
  seen.rows("billing_changes").map((row) => names.map((name) => row.cells[name]));
const versionsOf = (seen: Seen, id = BILL): readonly Version[] => {
  const facts = [...seen.store.range("fact", factPrefix(id))].map(([key, bytes]) => decodeFact(key, bytes));
  return new History(id, facts, { ...bill.history, untracked: [], ignored: [], ignoreNulls: [] }).versions;
};
const notes = (seen: Seen): Readonly<Record<string, number>> => seen.counters("note billing");

const insert = change(0, INSERT);
const before = change(1, BEFORE);
const after = change(1, AFTER, { base_amount: "2000.00", payment_status: "PAID" });
const PAID = { base_amount: "2000.00", payment_status: "PAID" };
/** Another bill, so late that the clock of the feed, which runs a minute behind, moves. */
const other = (minute: number): Arrival => change(minute, INSERT, { transaction_id: "TXN-00000099", customer_id: "CUST-000001" });

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

test("a deletion ends the bill, whose last image stays readable, and its row is there", async () => {
  const seen = await given(insert).when(change(1, DELETE));
  const { status, attributes, links } = seen.actor(BILL);
  assert.equal([status, attributes["deleted"], attributes["base_amount"]], ["DELETED", true, 296_807]);
  assert.is(links["customer"], "customer/CUST-000789");
  assert.equal(cells(seen, "__$operation", "before_base_paise"), [[1, 296_807]]);
  assert.equal(notes(seen), {});
});

test("what a change finds otherwise than it should is noted, and nothing is lost", async () => {
  assert.is(notes(await given().when(change(1, DELETE)))["unknown_delete"], 1);
  assert.is(notes(await given(insert).when(change(1, INSERT)))["unexpected_insert"], 1);
  const unknown = notes(await given().when(after));
  assert.equal([unknown["missing_after_base"], unknown["missing_before"]], [1, 1]);
});

test("a before image that is not what stood is noted when its transaction has been seen, and makes the bill suspect at once", async () => {
  const wrong = change(1, BEFORE, { base_amount: "1.00" });
  const early = await given(insert).when(wrong, after);
  assert.equal([notes(early)["before_differs"], early.actor(BILL).attributes["suspect"]], [undefined, true]);
  const seen = await given(insert).when(wrong, after, other(2), CRASH, other(9));
  assert.equal([notes(seen)["before_differs"], seen.actor(BILL).attributes["suspect"]], [1, true]);
  const whole = await given(insert, wrong, after, other(9)).when(change(10, BEFORE, PAID), change(10, AFTER, PAID));
  assert.is(whole.actor(BILL).attributes["suspect"], undefined, "the next whole image says what the bill is");
});

test("columns of a before image that are null claim nothing", async () => {
  const seen = await given(insert).when(change(1, BEFORE, { base_amount: null }), after, other(9));
  assert.equal([notes(seen)["before_differs"], seen.actor(BILL).attributes["suspect"]], [undefined, undefined]);
});

test("the lost change that a before image tells of may still come", async () => {
  const lost = change(0.5, AFTER, { base_amount: "1.00" });
  const rows = [insert, change(1, BEFORE, { base_amount: "1.00" }), after];
  const inTime = await given(...rows).when(lost, other(9));
  assert.equal([notes(inTime)["before_differs"], inTime.actor(BILL).attributes["suspect"]], [undefined, undefined]);
  const late = await given(...rows, other(9)).when(lost);
  assert.equal([notes(late)["before_differs"], late.actor(BILL).attributes["suspect"]], [1, undefined], "what was noted stays noted");
  const wrong = await given(...rows, lost, other(9)).when(change(0.7, AFTER, { base_amount: "2.00" }), other(20));
  assert.equal(
    [notes(wrong)["before_differs"], wrong.actor(BILL).attributes["suspect"]],
    [1, true],
    "an older change is judged against, too",
  );
});

test("corpus 99: a before image whose after image never comes goes to quarantine when a later change comes", async () => {
  const later = change(2, AFTER, { payment_status: "DUE" });
  const seen = await given(insert, before, CRASH).when(later);
  const [row] = seen.quarantine;
  assert.equal([row?.reason, row?.actor, row?.position, row?.status], ["orphan_before", BILL, "file:billing/billing.json/1", "open"]);
  assert.equal(JSON.parse(Buffer.from(row?.bytes ?? []).toString()), before.record);
  assert.equal([row?.eventTimeMs, row?.source], [at(1), "billing:billing.json"]);
  assert.equal(seen.counters("feed billing"), { accepted: 2, quarantined: 1, read: 3 });
  assert.equal([seen.actor(BILL).count("accepted"), seen.actor(BILL).count("quarantined")], [2, 1]);
  assert.equal(
    seen.rows("quarantine").map(({ cells, position }) => [cells["reason"], position]),
    [["orphan_before", "file:billing/billing.json/1"]],
  );
});

test("a before image waits a day of its feed's time for its after image", async () => {
  const day = 24 * 60;
  const waiting = await given(insert, before).when(other(day + 1.9));
  assert.equal(waiting.quarantine, []);
  assert.equal((await given(insert, before, other(day + 1.9)).when(after)).counters("note billing"), {});
  const over = await given(insert, before, CRASH).when(other(day + 2));
  assert.equal(
    over.quarantine.map(({ reason }) => reason),
    ["orphan_before"],
  );
  const paired = await given(insert, before, after).when(other(day + 9));
  assert.equal(paired.quarantine, []);
});

test("an older change overtakes no before image", async () => {
  const seen = await given(insert, change(2, BEFORE)).when(after, change(2, AFTER));
  assert.equal(seen.quarantine, []);
});

test("a hundred before images in a row keep the bill small and lose none", async () => {
  const many = Array.from({ length: 100 }, (_, n) => change(100 - n, BEFORE));
  const seen = await given(insert).when(...many);
  assert.is(seen.counters("feed billing")["accepted"], 1 + 8);
  assert.is(seen.quarantine.length, 92);
});

test("corpus 104: a before image takes its place whichever of the two comes first, and once", async () => {
  for (const rows of [
    [before, after, before],
    [after, before, before],
    [before, before, after],
  ]) {
    const seen = await given(insert).when(...rows);
    assert.is(seen.actor(BILL).count("duplicates"), 1);
    assert.is(seen.actor(BILL).status, "PAID");
  }
});

test("corpus 100: an update written as deletion and insert leaves no gap, in either order", async () => {
  const rows = [change(1, DELETE), change(1, INSERT, PAID)];
  for (const order of [rows, [...rows].reverse()]) {
    const seen = await given(insert).when(...order);
    assert.equal(
      versionsOf(seen).map(({ endedBy, values }) => [endedBy, values["payment_status"]]),
      [
        ["upsert", "PENDING"],
        [null, "PAID"],
      ],
    );
    assert.equal([seen.actor(BILL).status, seen.actor(BILL).attributes["deleted"]], ["PAID", undefined]);
    assert.is(seen.actor(PAYER).attributes["bills"], 1);
  }
  assert.equal(notes(await given(insert).when(...rows)), {}, "an insert behind its deletion is expected");
});

test("corpus 100: under another key in one transaction the bill has moved, in either order", async () => {
  const first = change(0, INSERT, { bill_id: "BILL-1" });
  const end = change(1, DELETE, { bill_id: "BILL-1" });
  const beginning = change(1, INSERT, { bill_id: "BILL-1", transaction_id: "TXN-00000043", __$seqval: "0xff" });
  for (const order of [
    [first, end, beginning],
    [first, beginning, end],
    [beginning, end, first],
    [end, beginning, first, end, beginning],
  ]) {
    const seen = await given().when(...order, CRASH);
    assert.is(seen.actor(BILL).attributes["moved_to"], "bill/TXN-00000043");
    assert.is(seen.actor(ActorId("bill", "TXN-00000043")).attributes["deleted"], undefined);
    assert.is(seen.actor(PAYER).attributes["bills"], 1);
  }
  for (const stranger of [{ bill_id: "BILL-2" }, { __$start_lsn: "0xffffff" }, { bill_id: null }]) {
    const seen = await given().when(first, end, { ...beginning, record: { ...(beginning.record as object), ...stranger } });
    assert.is(seen.actor(BILL).attributes["moved_to"], undefined, JSON.stringify(stranger));
  }
});

test("a bill that its own transaction writes anew and deletes has moved nowhere", async () => {
  const one = { bill_id: "BILL-1", __$start_lsn: "0xabc" };
  const rows = [change(1, DELETE, { ...one, __$seqval: "0x1" }), change(1, INSERT, { ...one, __$seqval: "0x2" })];
  const seen = await given(change(0, INSERT, { ...one, __$start_lsn: "0x1" })).when(
    ...rows,
    change(1, DELETE, { ...one, __$seqval: "0x3" }),
  );
  assert.equal([seen.actor(BILL).status, seen.actor(BILL).attributes["moved_to"]], ["DELETED", undefined]);
});

test("a bill that is inserted again after it moved has not moved any more", async () => {
  const named = { bill_id: "BILL-1" };
  const moved = [change(0, INSERT, named), change(1, DELETE, named), change(1, INSERT, { ...named, transaction_id: "TXN-00000043" })];
  const seen = await given(...moved).when(change(2, INSERT, named));
  assert.equal([seen.actor(BILL).attributes["moved_to"], seen.actor(BILL).status], [undefined, "PENDING"]);
});

test("corpus 101: the deletion of a bill that is not known is kept, and ends an insert that comes later", async () => {
  const gone = await given().when(change(1, DELETE));
  assert.equal([gone.actor(BILL).attributes, gone.rows("billing_changes").length], [{}, 1]);
  const born = await given(change(1, DELETE)).when(insert);
  assert.equal([born.actor(BILL).status, versionsOf(born).map(({ endedBy }) => endedBy)], ["DELETED", ["delete"]]);
  assert.not(born.has(PAYER), "nothing was ever billed");
});

test("corpus 102: an insert of what a snapshot has brought is noted, and changes nothing if it says the same", async () => {
  const snapshot = {
    ...insert,
    record: envelope("r", insert.record as Row, null, insert.record as Row, { decimals: "double" }, { commit_lsn: null }),
  };
  const seen = await given(snapshot).when(insert);
  assert.is(notes(seen)["unexpected_insert"], 1);
  assert.equal(
    versionsOf(seen).map(({ values }) => values["base_amount"]),
    [296_807],
  );
});

test("corpus 103: one position may hold changes of several bills", async () => {
  const seen = await given().when(change(1, INSERT), change(1, INSERT, { transaction_id: "TXN-00000043" }));
  assert.is(seen.counters("feed billing")["accepted"], 2);
  assert.equal(notes(seen), {});
});

test("corpus 104: between equal places of one bill the greater serial number wins, in either order", async () => {
  const record = (insert.record as Row) ?? {};
  const serial = (n: number, status: string) => {
    const after = { ...record, payment_status: status };
    return { ...insert, record: envelope("u", record, null, after, { decimals: "double" }, { event_serial_no: n }) };
  };
  for (const order of [
    [serial(1, "FIRST"), serial(2, "SECOND")],
    [serial(2, "SECOND"), serial(1, "FIRST")],
  ]) {
    const seen = await given().when(...order);
    assert.equal([seen.actor(BILL).status, notes(seen)["conflict"]], ["SECOND", undefined]);
  }
});

test("corpus 105: a transaction of very many rows is rows like any other, also of one bill", async () => {
  const one = { __$start_lsn: "0xabc" };
  const others = Array.from({ length: 1_000 }, (_, n) =>
    change(0, INSERT, { ...one, __$seqval: `0x${(n + 1).toString(16)}`, transaction_id: `TXN-${String(n).padStart(8, "0")}` }),
  );
  const own = Array.from({ length: 200 }, (_, n) =>
    change(0, 5, { ...one, __$seqval: `0x${(n + 10_000).toString(16)}`, payment_status: `S${n}` }),
  );
  const seen = await given().when(...others, ...own);
  assert.is(seen.counters("feed billing")["accepted"], 1_200);
  assert.is(seen.actor(BILL).status, "S199");
});

test("what comes again with other words is a conflict that the same words win in every order", async () => {
  const rows = [insert, change(1, AFTER, { base_amount: "1.00" }), change(1, AFTER, { base_amount: "2.00" })];
  const seen = await given().when(...rows);
  const turned = await given().when(rows[0] as Arrival, rows[2] as Arrival, rows[1] as Arrival);
  assert.is(notes(seen)["conflict"], 1);
  assert.is(notes(turned)["conflict"], 1);
  assert.equal(turned.actor(BILL).attributes, seen.actor(BILL).attributes);
});

test("a before image that was given up stays given up when the rest comes again", async () => {
  const later = change(2, AFTER, { payment_status: "DUE" });
  const seen = await given(insert, before, later).when(later, CRASH, later);
  assert.equal(seen.counters("feed billing"), { accepted: 2, duplicates: 2, quarantined: 1, read: 5 });
});

test("the same change is known again whether its command is told or not", async () => {
  const silent = change(1, AFTER, { payment_status: "PAID" });
  const told = change(1, AFTER, { payment_status: "PAID", __$command_id: 7 });
  for (const order of [
    [silent, told],
    [told, silent],
  ]) {
    const seen = await given(insert).when(...order);
    assert.is(seen.actor(BILL).count("duplicates"), 1);
    assert.equal(versionsOf(seen).length, 2);
  }
});

test("a transaction of which only some changes tell their command is noted once", async () => {
  const one = { __$start_lsn: "0xabc" };
  const seen = await given().when(
    change(0, INSERT, { ...one, __$seqval: "0x1", __$command_id: 1 }),
    change(1, AFTER, { ...one, __$seqval: "0x2", __$command_id: 2 }),
    change(2, AFTER, { ...one, __$seqval: "0x3" }),
    change(3, AFTER, { ...one, __$seqval: "0x4" }),
  );
  assert.is(notes(seen)["mixed_command_id"], 1);
});

test("a merged row is a bill, and misses no before image", async () => {
  const seen = await given().when(change(0, 5));
  assert.equal([seen.actor(BILL).status, notes(seen)], ["PENDING", {}]);
});

test("a null that an update does not claim inherits, one that it claims erases", async () => {
  const named = change(0, INSERT, { payment_method: "UPI" });
  const without = (mask: string) => change(1, AFTER, { payment_method: null, payment_status: "PAID", __$update_mask: mask });
  assert.is((await given(named).when(without("0x0800"))).actor(BILL).attributes["payment_method"], "UPI");
  assert.is((await given(named).when(without("0x1800"))).actor(BILL).attributes["payment_method"], null);
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
  assert.equal((await given(tiny).when(other(60.9))).alerts, []);
  assert.equal((await given(tiny).when(other(61))).alerts, [{ rule: "billing.tiny_amount", change: "cleared", atMs: at(60) }]);
});

test("a row with another spelling of its position is the same row", async () => {
  const seen = await given(change(0, INSERT, { __$start_lsn: "0x0A", __$seqval: "0x0b" })).when(
    change(0, INSERT, { __$start_lsn: "0x000000000a", __$seqval: "0000000000000000000B" }),
  );
  assert.is(seen.actor(BILL).count("duplicates"), 1);
});

// Gaps ----------------------------------------------------------------------------------------------------------------------------------

const LOST = { lost: "billing" } as const;
const GONE = { lost: "billing", source: "cdc", partition: "t/1" } as const;
const placeAt = (minute: number): string => {
  const { __$start_lsn: startLsn, __$seqval: seqval } = change(minute, INSERT).record as { __$start_lsn: string; __$seqval: string };
  return positionOf(startLsn.slice(2).padStart(20, "0"), null, seqval.slice(2).padStart(20, "0"), INSERT);
};
const isSuspect = (seen: Seen): unknown => seen.actor(BILL).attributes["suspect"];
const named = change(0, INSERT, { payment_method: "UPI" });
/** An update that takes over how the bill is paid, whatever that is. */
const partial = (minute: number, base: string): Arrival =>
  change(minute, AFTER, { payment_method: null, __$update_mask: "0x0800", base_amount: base });

test("behind an accepted gap a bill is suspect until a whole image says what it is; nothing is written for that", async () => {
  const calm = await given(insert).when();
  const seen = await given(insert).when(LOST);
  assert.equal([isSuspect(calm), isSuspect(seen)], [undefined, true], "though nothing has come yet");
  assert.is(seen.digest, calm.digest);
  assert.is(notes(seen)["source_gap"], 1);
  const told = await given(insert, LOST, CRASH).when(other(2));
  assert.equal([isSuspect(told), told.actor(ActorId("bill", "TXN-00000099")).attributes["suspect"]], [true, undefined]);
  assert.is(isSuspect(await given(named, LOST, other(2), CRASH).when(partial(3, "2000.00"))), true, "it took a value over");
  assert.is(isSuspect(await given(insert, LOST, CRASH, other(2)).when(change(3, AFTER, PAID))), undefined);
});

test("gaps of a feed are numbered, each stands before the first change of its partition that comes behind it", async () => {
  const elsewhere = { ...other(1), source: "cdc", partition: "t/2" };
  const { store } = await given(insert, LOST, GONE, elsewhere).when(other(2), { ...other(3), source: "cdc", partition: "t/1" });
  const gaps = readGaps(store, "billing");
  assert.equal(
    gaps.map(({ number, source, partition, reason, before }) => ({ number, source, partition, reason, before })),
    [
      { number: 1, source: "billing", partition: "", reason: "some are gone", before: placeAt(2) },
      { number: 2, source: "cdc", partition: "t/1", reason: "some are gone", before: placeAt(3) },
    ],
  );
});

test("an alert of a suspect bill says so, and one of a bill that is sound does not", async () => {
  const flags = async (...script: Script): Promise<unknown> =>
    (await given(named, ...script).when(partial(3, "20.00"))).events
      .filter(({ data }) => data.rule === "billing.tiny_amount")
      .map(({ data }) => data.flags);
  assert.equal(await flags(), [[]]);
  assert.equal(await flags(LOST, other(2)), [["suspect"]]);
});
