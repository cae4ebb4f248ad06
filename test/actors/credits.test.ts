import * as assert from "uvu/assert";
import { ActorId } from "../../engine/ids.ts";
import type { Arrival, Script, Seen } from "../kit/given.ts";
import { customer, given, reading } from "../kit/grid.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

// Energy of meters, credited to the transformers that fed them.
const test = suite("credits");

const OLD = "TRF-N-0034";
const NEW = "TRF-N-0035";

/** A reading at a time of the grid zone. */
const read = (time: string, kwh: number, changes: object = {}): Arrival =>
  reading(0, kwh, { ...changes, timestamp: `${time}+05:30`, event_id: `${time} ${kwh}` });
const DAY = [
  read("2025-06-14T10:30:00", 1),
  read("2025-06-14T11:30:00", 2),
  read("2025-06-15T10:30:00", 4),
  read("2025-06-15T23:30:00", 8),
];
const NEXT_DAY = read("2025-06-16T00:30:00", 16);
const MOVED = customer("2025-06-15", { transformer_id: NEW });

/** The latest day of which meters have told a transformer -> their kWh. */
function metered({ has, actor }: Seen, transformer: string): Readonly<Record<string, unknown>> {
  const id = ActorId("transformer", transformer);
  const { metered_on = null, metered_kwh = null } = has(id) ? actor(id).attributes : {};
  return metered_on === null ? {} : { [String(metered_on)]: metered_kwh };
}

const told = async (...script: Script) => {
  const seen = await given().when(...script);
  assert.equal(seen.quarantine, []);
  return {
    [OLD]: metered(seen, OLD),
    [NEW]: metered(seen, NEW),
    outOfWindow: seen.counters("note customer_master")["topology_out_of_window"] ?? 0,
  };
};

test("a transformer hears of a meter's day when the meter's next one begins", async () => {
  assert.equal((await told(customer("2025-01-01"), ...DAY))[OLD], { "2025-06-14": 3 });
  assert.equal((await told(customer("2025-01-01"), ...DAY, NEXT_DAY))[OLD], { "2025-06-15": 12 });
});

test("readings before the master are credited when it comes", async () => {
  const before = await told(customer("2025-01-01"), ...DAY, NEXT_DAY);
  assert.equal(await told(...DAY, NEXT_DAY, customer("2025-01-01")), before);
  assert.equal(await told(...DAY.slice(0, 3), customer("2025-01-01"), ...DAY.slice(3), NEXT_DAY), before);
});

test("a customer that has moved takes the hours from its day on with it, and no others", async () => {
  const expected = { [OLD]: { "2025-06-14": 3 }, [NEW]: { "2025-06-15": 12 }, outOfWindow: 0 };
  assert.equal(await told(customer("2025-01-01"), MOVED, ...DAY, NEXT_DAY), expected);
  assert.equal(await told(customer("2025-01-01"), ...DAY, NEXT_DAY, MOVED), expected);
});

test("a late reading changes its hour only, wherever that is credited", async () => {
  const late = read("2025-06-14T10:45:00", 32);
  assert.equal((await told(customer("2025-01-01"), ...DAY, late))[OLD], { "2025-06-14": 35 });
  assert.equal(await told(customer("2025-01-01"), MOVED, ...DAY, NEXT_DAY, late), {
    [OLD]: { "2025-06-14": 35 },
    [NEW]: { "2025-06-15": 12 },
    outOfWindow: 0,
  });
});

test("hours that are no longer held stay where they are, which is counted", async () => {
  const later = read("2025-06-17T12:30:00", 1);
  const backDated = customer("2025-06-14", { transformer_id: NEW });
  const { outOfWindow } = await told(customer("2025-01-01"), ...DAY, later, backDated);
  assert.is(outOfWindow, 1);
  assert.is((await told(customer("2025-01-01"), ...DAY, NEXT_DAY, backDated)).outOfWindow, 0);
});

test("a repeat and a conflict are not credited", async () => {
  const [first] = DAY as [Arrival];
  const conflict = reading(0, 99, { timestamp: "2025-06-14T10:30:00+05:30", event_id: "another" });
  assert.equal((await told(customer("2025-01-01"), first, first, conflict, ...DAY, NEXT_DAY))[OLD], { "2025-06-15": 12 });
  assert.equal((await told(customer("2025-01-01"), first, first, conflict, read("2025-06-15T10:30:00", 4)))[OLD], { "2025-06-14": 1 });
});

test("P-28: whenever the masters come, transformers have the same energy", async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = seeded(seed);
    const readings = Array.from({ length: 12 }, (_, n) => {
      const minutes = n * 180 + random.below(180); // Within 36 hours.
      const time = new Date(Date.UTC(2025, 5, 14, 13) + minutes * 60_000).toISOString().slice(0, 19);
      return read(time, 1 + random.below(100));
    });
    const masters = [
      customer("2025-01-01"),
      customer("2025-06-15", { transformer_id: NEW }),
      customer("2025-06-16", { transformer_id: random.pick([OLD, NEW]) }),
    ];
    const closing = read("2025-06-16T02:30:00", 1);
    const first = await told(...masters, ...readings, closing);
    const script: Arrival[] = [...readings];
    for (const master of random.shuffled(masters)) script.splice(random.below(script.length + 1), 0, master);
    const scattered = await told(...script, closing);
    assert.equal(scattered, first, `seed ${seed}`);
  }
});
