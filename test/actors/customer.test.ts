import * as assert from "uvu/assert";
import { ActorId } from "../../engine/ids.ts";
import { CRASH } from "../kit/given.ts";
import { AFTER, change, customer, DELETE, given, INSERT } from "../kit/grid.ts";
import { suite } from "../kit/suite.ts";

const CUSTOMER = ActorId("customer", "CUST-000123");
const PAYER = ActorId("customer", "CUST-000789");
const OTHER = ActorId("customer", "CUST-000790");

const test = suite("customer");

test("a described customer has its master's columns, and is linked to what feeds it", async () => {
  const seen = await given().when(
    customer("2025-01-01", { account_status: "ACTIVE", tariff_category: "DOMESTIC", outstanding_balance: "12.34" }),
  );
  const actor = seen.actor(CUSTOMER);
  assert.is(actor.status, "ACTIVE");
  assert.is(actor.attributes["outstanding_balance"], 1_234);
  assert.equal(actor.links, {
    meter: ActorId("meter", "SM-N-00042"),
    transformer: ActorId("transformer", "TRF-N-0034"),
    region: ActorId("region", "NORTH"),
  });
  assert.equal(
    seen.rows("dim_customer_changes").map(({ cells, date }) => [cells["customer_id"], cells["change"], cells["is_current"], date]),
    [["CUST-000123", "opened", true, "2025-01-01"]],
  );
});

test("a balance alone opens no version", async () => {
  const seen = await given(customer("2025-01-01", { outstanding_balance: "1.00" })).when(
    customer("2025-06-01", { outstanding_balance: "2.00" }),
  );
  assert.is(seen.actor(CUSTOMER).attributes["outstanding_balance"], 200);
  assert.equal(
    seen.rows("dim_customer_changes").map(({ cells }) => [cells["change"], cells["record_effective_date"], cells["scd_version"]]),
    [["changed", "2025-01-01", 1]],
  );
});

test("a row that comes again is a duplicate, also after a crash", async () => {
  const seen = await given(customer("2025-01-01")).when(customer("2025-01-01"), CRASH, customer("2025-01-01"));
  assert.equal(seen.log, []);
  assert.is(seen.actor(CUSTOMER).count("duplicates"), 2);
});

test("a customer whose account really ends is linked to nothing any more", async () => {
  const seen = await given(customer("2025-01-01")).when(
    customer("2025-01-01", { record_end_date: "2025-05-01", account_status: "CLOSED" }),
  );
  assert.equal(seen.actor(CUSTOMER).links, {});
  assert.equal(seen.actor(ActorId("meter", "SM-N-00042")).links, { region: ActorId("region", "NORTH") });
});

test("bills count and add up, and follow the bill to another customer", async () => {
  const issued = await given().when(change(0, INSERT, { total_amount: "100.00" }), change(1, AFTER, { total_amount: "80.50" }));
  assert.equal([issued.actor(PAYER).attributes["bills"], issued.actor(PAYER).attributes["billed_paise"]], [1, 8_050]);
  const moved = await given(change(0, INSERT, { total_amount: "100.00" })).when(change(1, AFTER, { customer_id: "CUST-000790" }));
  assert.equal([moved.actor(PAYER).attributes["bills"], moved.actor(PAYER).attributes["billed_paise"]], [0, 0]);
  assert.equal([moved.actor(OTHER).attributes["bills"], moved.actor(OTHER).attributes["billed_paise"]], [1, 350_232]);
  const deleted = await given(change(0, INSERT)).when(change(1, DELETE));
  assert.equal([deleted.actor(PAYER).attributes["bills"], deleted.actor(PAYER).attributes["billed_paise"]], [0, 0]);
});

test("a change of another mind, older than what is known, adds nothing to the sums", async () => {
  const seen = await given(change(2, AFTER, { total_amount: "70.00" })).when(change(0, INSERT, { total_amount: "100.00" }));
  assert.equal([seen.actor(PAYER).attributes["bills"], seen.actor(PAYER).attributes["billed_paise"]], [1, 7_000]);
});
