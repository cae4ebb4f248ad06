import * as assert from "uvu/assert";
import { type RegionRow, regions, regionsText } from "../../admin/regions.ts";
import { suite } from "../kit/suite.ts";
import { tinyEngine } from "../kit/tiny_grid.ts";

const test = suite("regions");

const READING = { event_id: "e1", meter_id: "SM-N-00042", timestamp: "2025-06-15T16:00:00Z", reading_kwh: 60 };

test("a region sums up what is in it, and what it was never told stays unknown", async () => {
  const engine = tinyEngine();
  assert.equal(regions(engine), []);
  await engine.take("smart_meter", [READING, { ...READING, event_id: "e2", meter_id: "SM-N-00043", reading_kwh: 120 }]);
  await engine.take("smart_meter", [{ ...READING, event_id: "e3", reading_kwh: 5, timestamp: "2025-06-15T16:05:00Z" }]);
  const expected: RegionRow = {
    id: "NORTH",
    loadMw: null,
    capacityMw: null,
    productionMw: null,
    records: 3,
    openAlerts: { info: 0, warning: 0, major: 1, critical: 1 },
    expected: 2,
    reporting: 2,
    latest: "2025-06-15T16:05:00Z",
    ageSeconds: 0,
  };
  assert.equal(regions(engine), [expected]);
  assert.is(
    regionsText(regions(engine), null),
    "region\tload MW\tcapacity MW\tproduction MW\trecords\tcritical\tmajor\twarning\tinfo\treporting\tlatest\n" +
      "NORTH\t-\t-\t-\t3\t1\t1\t0\t0\t2 of 2\t2025-06-15T16:05:00Z\n",
  );
});
