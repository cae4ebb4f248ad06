import * as assert from "uvu/assert";
import { type HubExtent, type HubPlace, isPlainOffset, judge, placeOf, positionOf } from "../../sources/event_hub_position.ts";
import { suite } from "../kit/suite.ts";

const test = suite("positions in a hub");

const PLACE: HubPlace = { sequence: 41, offset: "8472", createdAtMs: 1_700_000_000_000 };
const EXTENT: HubExtent = { begin: 0, last: 99, createdAtMs: PLACE.createdAtMs };

function verdict(place: Partial<HubPlace>, extent: Partial<HubExtent>): string {
  const judged = judge({ ...PLACE, ...place }, { ...EXTENT, ...extent });
  return judged.type === "gap" ? `gap ${judged.lost}` : judged.type;
}

test("a place comes back from its position as it was", () => {
  for (const place of [PLACE, { ...PLACE, sequence: -1, offset: "-1" }]) assert.equal(placeOf(positionOf(place)), place);
});

test("a partition goes on behind its last event, however much of the past is gone", () => {
  assert.is(verdict({}, {}), "continues");
  assert.is(verdict({}, { begin: 42 }), "continues");
  assert.is(verdict({ sequence: 99 }, {}), "continues");
  assert.is(verdict({ sequence: 99 }, { begin: 100 }), "continues");
  assert.is(verdict({ sequence: -1, offset: "-1" }, { last: -1 }), "continues");
});

test("events that are gone before they were read are a gap of so many", () => {
  assert.is(verdict({}, { begin: 43 }), "gap 1");
  assert.is(verdict({}, { begin: 100 }), "gap 58");
  assert.is(verdict({ sequence: -1, offset: "-1" }, { begin: 3 }), "gap 3");
});

test("numbers that have fallen back, and a hub that was made again, stop", () => {
  assert.is(verdict({}, { last: 40 }), "stop");
  assert.is(verdict({}, { last: -1 }), "stop");
  assert.is(verdict({}, { createdAtMs: PLACE.createdAtMs + 1 }), "stop");
});

test("corpus 98: only an offset in digits is one", () => {
  for (const offset of ["0", "-1", "8472", "99999999999999999999"]) assert.ok(isPlainOffset(offset), offset);
  for (const offset of ["", "1:8472:41", "0x1f", "12.5", "undefined", "١٢"]) assert.not.ok(isPlainOffset(offset), offset);
});
