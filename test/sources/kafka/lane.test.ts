import * as assert from "uvu/assert";
import type { SourceRecord } from "../../../engine/source.ts";
import { Lane, sourceRecord } from "../../../sources/kafka/lane.ts";
import { markOf, parsePosition, placeOf, positionOf } from "../../../sources/kafka/position.ts";
import { texts } from "../../kit/source_reading.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("lanes of Kafka");

const OPTIONS = { topic: "t", partition: 3, cluster: "c" };
const EXTENT = { low: 0, high: 10 };
const record = (at: number, text = `r${at}`): SourceRecord => ({ at, arrivedAtMs: 1_750_000_000_000 + at, bytes: Buffer.from(text) });
const ALL = { records: 100, bytes: 1_000 };

test("a position comes back as it was, and says where to read on", () => {
  const position = { next: 5, cluster: "c", mark: markOf(record(4)) };
  assert.equal(parsePosition(positionOf(position)), position);
  assert.equal(parsePosition(positionOf({ ...position, mark: null })), { ...position, mark: null });
  assert.equal(placeOf(position, EXTENT, "c"), { seekTo: 4, next: 5, mark: position.mark });
  assert.equal(placeOf(position, { low: 5, high: 10 }, "c"), { seekTo: 5, next: 5, mark: null });
  assert.equal(placeOf({ ...position, mark: null }, EXTENT, "c"), { seekTo: 5, next: 5, mark: null });
  assert.equal(placeOf({ ...position, next: 10 }, EXTENT, "c"), { seekTo: 9, next: 10, mark: position.mark });
});

test("records that are gone, an end before the position and another cluster are gaps", () => {
  const position = { next: 5, cluster: "c", mark: null };
  assert.equal(placeOf(position, { low: 8, high: 10 }, "c"), { gap: "offsets 5 to 7 are gone" });
  assert.equal(placeOf(position, { low: 0, high: 4 }, "c"), { gap: "the position is 5, and the topic ends at 4" });
  assert.ok("gap" in placeOf(position, EXTENT, "d"));
});

test("records before the position are dropped, and a batch ends with the position behind it", () => {
  const lane = new Lane(OPTIONS, { seekTo: 4, next: 5, mark: markOf(record(4)) }, EXTENT);
  assert.ok(lane.queue([record(3), record(4), record(5), record(7)], 9, 10));
  assert.is(lane.expected, 9);
  const first = lane.take({ records: 1, bytes: 1_000 });
  assert.equal(first && texts([first]), ["r5"]);
  assert.equal(lane.position, { next: 6, cluster: "c", mark: markOf(record(5)) });
  const second = lane.take(ALL);
  assert.equal(second && texts([second]), ["r7"]);
  assert.equal(lane.position, { next: 9, cluster: "c", mark: null }, "behind what the batch held no record at");
  assert.is(lane.take(ALL), null);
  assert.is(lane.weight, 0);
});

test("another record before the position is told, and nothing is queued", () => {
  const start = { seekTo: 4, next: 5, mark: markOf(record(4)) };
  assert.not.ok(new Lane(OPTIONS, start, EXTENT).queue([record(4, "other"), record(5)], 6, 10));
  assert.ok(new Lane(OPTIONS, start, EXTENT).queue([record(3), record(5)], 6, 10), "it may have been compacted away");
});

test("what is passed over moves the lane on, unless it stands where a record was read", () => {
  const start = { seekTo: 4, next: 5, mark: markOf(record(4)) };
  const lane = new Lane(OPTIONS, start, EXTENT);
  assert.not.ok(lane.passOver(3, 6));
  assert.is(lane.expected, 4);
  assert.ok(lane.passOver(5, 6), "the record may have been compacted away");
  assert.is(lane.expected, 7);
  assert.ok(new Lane(OPTIONS, { ...start, mark: null }, EXTENT).passOver(4, 4));
});

test("batches keep their bounds, and a record that is larger comes alone", () => {
  const lane = new Lane(OPTIONS, { seekTo: 0, next: 0, mark: null }, EXTENT);
  lane.queue([record(0, "xxxx"), record(1, "x".repeat(20)), record(2, "xxx"), record(3, "xxx"), record(4, "xxx")], 5, 40);
  const sizes: number[] = [];
  for (let batch = lane.take({ records: 2, bytes: 8 }); batch !== null; batch = lane.take({ records: 2, bytes: 8 }))
    sizes.push(batch.records.length);
  assert.equal(sizes, [1, 1, 2, 1]);
});

test("what the library passed over moves the position at the next word", () => {
  const lane = new Lane(OPTIONS, { seekTo: 0, next: 0, mark: null }, EXTENT);
  lane.moveTo(7);
  assert.equal([...lane.word(true).resumeAt], [["t/3", "7 c -"]]);
  lane.moveTo(3);
  assert.is(lane.expected, 7, "never back");
  lane.restart(2, "some are gone");
  assert.equal([...lane.word(false).resumeAt], [["t/3", "2 c -"]], "but where records are missing and that is accepted");
});

test("a hole is a batch of its own between what was before it and what comes behind it", () => {
  const lane = new Lane(OPTIONS, { seekTo: 0, next: 0, mark: null }, EXTENT);
  lane.queue([record(0), record(1)], 2, 4);
  lane.restart(7, "some are gone");
  lane.queue([record(7)], 8, 2);
  const seen: unknown[] = [];
  for (let batch = lane.take(ALL); batch !== null; batch = lane.take(ALL)) {
    seen.push([texts([batch]), batch.gap, batch.resumeAt.get("t/3")?.split(" ")[0]]);
  }
  assert.equal(seen, [
    [["r0", "r1"], undefined, "2"],
    [[], "some are gone", "7"],
    [["r7"], undefined, "8"],
  ]);
  assert.is(lane.weight, 0);
});

test("a record of a time that cannot be is bad, with an arrival that a replay sees, too", () => {
  for (const timestampMs of [-1, 0, Date.UTC(1999, 11, 31), Date.UTC(2100, 0), 9e15]) {
    const { arrivedAtMs, fault } = sourceRecord({ offset: 0, timestampMs, value: null });
    assert.equal([arrivedAtMs, fault?.code], [0, "bad_time"]);
  }
  const empty = sourceRecord({ offset: 3, timestampMs: Date.UTC(2025, 0), value: Buffer.alloc(0) });
  assert.equal([empty.fault?.code, empty.arrivedAtMs], ["bad_json", Date.UTC(2025, 0)], "only a record without a value is a tombstone");
  assert.is(sourceRecord({ offset: 3, timestampMs: Date.UTC(2025, 0), value: null }).fault, undefined);
  assert.equal(sourceRecord({ offset: 1, timestampMs: Date.UTC(2025, 0), value: Buffer.from("x") }), {
    at: 1,
    arrivedAtMs: Date.UTC(2025, 0),
    bytes: Buffer.from("x"),
  });
});
