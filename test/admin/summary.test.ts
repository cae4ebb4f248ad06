import * as assert from "uvu/assert";
import { readCounters, summary, summaryText } from "../../admin/summary.ts";
import { suite } from "../kit/suite.ts";
import { tinyEngine } from "../kit/tiny_grid.ts";

const test = suite("summary");

const READ = { event_id: "e1", meter_id: "SM-N-00042", timestamp: "2025-06-15T16:00:00Z", reading_kwh: 60 };
const RECORDS = [
  READ,
  READ,
  { ...READ, event_id: "e2", meter_id: "SM-N-00043", reading_kwh: 1 },
  { ...READ, event_id: "e3", timestamp: "2025-06-15T10:00:00Z", reading_kwh: 1 },
  "not json",
];
const END = { digest: "4be1c0a97d25f8e3360fb2c9a4715dd8", tookMs: 1_900 };

test("a run is summed up as the interfaces show it, every feed and kind present", async () => {
  const engine = tinyEngine();
  const before = readCounters(engine);
  await engine.take("smart_meter", RECORDS);
  const none = { read: 0, accepted: 0, duplicates: 0, late: 0, quarantined: 0 };
  assert.is(
    JSON.stringify(summary(engine.domain, { ...END, before, after: readCounters(engine) })),
    JSON.stringify({
      feeds: {
        smart_meter: { read: 5, accepted: 3, duplicates: 1, late: 1, quarantined: 1 },
        billing: none,
        transformer_master: none,
        customer_master: none,
      },
      actors: { meter: 2, customer: 0, bill: 0, transformer: 0, substation: 0, region: 0 },
      alerts: { "meter.spike": 1 },
      curated: { alerts: 1, meter_readings: 3, quarantine: 1 },
      digest: "4be1c0a97d25f8e3360fb2c9a4715dd8",
      seconds: 1.9,
    }),
  );
});

test("feeds and curated rows are those of the run, actors and alerts those of the state", async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", RECORDS);
  const before = readCounters(engine);
  await engine.take("smart_meter", [{ ...READ, event_id: "e9", meter_id: "SM-N-00044" }]);
  const { feeds, actors, alerts, curated } = summary(engine.domain, { ...END, before, after: readCounters(engine) });
  assert.equal(feeds["smart_meter"], { read: 1, accepted: 1, duplicates: 0, late: 0, quarantined: 0 });
  assert.equal([actors["meter"], alerts], [3, { "meter.spike": 2 }]);
  assert.equal(curated, { alerts: 1, meter_readings: 1 });
});

test("a run that reads nothing new writes nothing", async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", RECORDS);
  const after = readCounters(engine);
  assert.equal(summary(engine.domain, { ...END, before: after, after }).curated, {});
});

test("the text is aligned, with thousands in groups", () => {
  const feeds = {
    smart_meter: { read: 500, accepted: 497, duplicates: 3, late: 21, quarantined: 0 },
    substation_telemetry: { read: 300, accepted: 300, duplicates: 0, late: 0, quarantined: 0 },
    billing: { read: 12_400, accepted: 12_399, duplicates: 0, late: 0, quarantined: 1 },
  };
  const actors = { meter: 1_000, bill: 240 };
  const alerts = { "meter.near_zero": 25, "meter.spike": 15 };
  assert.is(
    summaryText({ feeds, actors, alerts, curated: {}, digest: END.digest, seconds: 1.9 }),
    [
      "feed                    read  accepted  duplicates  late  quarantined",
      "smart_meter              500       497           3    21            0",
      "substation_telemetry     300       300           0     0            0",
      "billing               12 400    12 399           0     0            1",
      "alerts   meter.near_zero 25 · meter.spike 15",
      "actors   meter 1 000 · bill 240",
      "digest   4be1c0a97d25f8e3360fb2c9a4715dd8 · 1.9 s",
      "",
    ].join("\n"),
  );
});
