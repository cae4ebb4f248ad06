import * as assert from "uvu/assert";
import { DAY_BYTES, packMeters, unpackMeters } from "../../../../actors/detectors/transformer/packed_meters.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("packed meters");

const day = (first: number): Uint8Array => Uint8Array.from({ length: DAY_BYTES }, (_, n) => (first + n) % 256);

test("the days of meters come back under their keys, in their order, whatever the keys are made of", () => {
  const meters = { "SM-N-00042": day(1), "Zähler 7": day(2), [`SM-${"9".repeat(300)}`]: day(3), "": day(4) };
  const back = unpackMeters(packMeters(meters));
  assert.equal(Object.keys(back), Object.keys(meters));
  assert.equal(
    Object.values(back).map((each) => [...each]),
    Object.values(meters).map((each) => [...each]),
  );
  assert.equal([unpackMeters(packMeters({})), unpackMeters(undefined)], [{}, {}]);
});
