import * as assert from "uvu/assert";
import { regionWatch } from "../../../admin/console/region_watch.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("looks at regions");

const HOUR_MS = 3_600_000;

test("a rate is counted between two looks, also by somebody who looks again after an hour", async () => {
  let nowMs = 0;
  let records = 0;
  const watch = regionWatch(() => nowMs);
  const ask = async () => ({ value: [{ id: "NORTH", records }] });
  const rate = async () => (await watch.look({ ask })).rows[0]?.recordsPerSecond;
  assert.is(await rate(), null);
  nowMs = 10_000;
  records = 50;
  assert.is(await rate(), 5);
  nowMs += HOUR_MS;
  records += 7_200;
  assert.is(await rate(), 2);
});
