import * as assert from "uvu/assert";
import { SEAL_BYTES, unseal } from "../../engine/codec.ts";
import { DamagedStore } from "../../engine/damaged_store.ts";
import { findId, hotAt, type Images, idAt, lastImages, PartsDraft, sealedImages, warmAt } from "../../engine/journal.ts";
import { part } from "../contract/store.ts";
import { suite } from "../kit/suite.ts";

const test = suite("journal");

type Row = readonly [id: string, hot: string | null, warm: string | null];

test("of each part the last image counts, and actors come in the order of their bytes", () => {
  const journal = journalOf([
    ["meter/b", "h1", "w1"],
    ["meter/a", "h1", null],
    ["meter/\u{1f50c}", null, "w1"],
    ["meter/\uffee", "h1", "w1"],
    ["meter/b", "h2", null],
    ["meter/", "h1", null],
    ["meter/\uffee", null, ""],
  ]);
  assert.equal(rowsOf(lastImages(journal)), [
    ["meter/", "h1", null],
    ["meter/a", "h1", null],
    ["meter/b", "h2", "w1"],
    ["meter/\uffee", "h1", ""],
    ["meter/\u{1f50c}", null, "w1"],
  ]);
});

test("an empty journal has no images", () => {
  assert.equal(rowsOf(lastImages(Buffer.alloc(0))), []);
});

test("many actors, in any order of arrival, are as a map would have them", () => {
  const rows = Array.from({ length: 30_000 }, (_, n): Row => {
    const actor = (n * 7_919) % 9_973;
    return [
      `${actor % 3 === 0 ? "customer" : "meter"}/${"S".repeat(actor % 5)}${actor}`,
      n % 4 === 0 ? null : `h${n}`,
      n % 4 < 2 ? `w${n}` : null,
    ];
  });
  const expected = new Map<string, Row>();
  for (const [id, hot, warm] of rows) {
    const before = expected.get(id);
    expected.set(id, [id, hot ?? before?.[1] ?? null, warm ?? before?.[2] ?? null]);
  }
  const images = lastImages(journalOf(rows));
  const inOrder = [...expected.keys()].sort(); // ASCII: units are bytes.
  assert.equal(
    rowsOf(images),
    inOrder.map((id) => expected.get(id)),
  );
  for (const [n, id] of inOrder.entries()) assert.is(findId(images, Buffer.from(id)), n);
  for (const id of ["", "a", "meter/none", "z"]) assert.is(findId(images, Buffer.from(id)), -1);
});

test("a sealed image is a value of its actor", () => {
  const images = sealedImages(
    journalOf([
      ["meter/a", "h1", "w1"],
      ["meter/a", "h2", null],
    ]),
  );
  assert.is(unseal(hotAt(images, 0) ?? Buffer.alloc(0), idAt(images, 0)).toString(), "h2");
  assert.is(unseal(warmAt(images, 0) ?? Buffer.alloc(0), Buffer.from("meter/a")).toString(), "w1");
});

test("a journal with a changed byte is damage, wherever it lies", () => {
  const journal = journalOf([["meter/a", "h1", "w1"]]);
  for (let at = 0; at < journal.length; at += 1) {
    const changed = Buffer.from(journal);
    changed.writeUInt8(changed.readUInt8(at) ^ 0x10, at);
    assert.throws(
      () => lastImages(changed),
      (error: unknown) => error instanceof DamagedStore,
    );
  }
});

function journalOf(rows: readonly Row[]): Buffer {
  const draft = new PartsDraft();
  for (const row of rows) {
    const { id, hot, warm } = part(...row);
    draft.add(Buffer.from(id), hot, warm);
  }
  draft.closeBlock();
  return draft.filled;
}

function rowsOf(images: Images): readonly Row[] {
  const text = (image: Buffer | null): string | null => image?.toString("utf8", SEAL_BYTES) ?? null;
  return Array.from(images.ids, (_, n) => [idAt(images, n).toString(), text(hotAt(images, n)), text(warmAt(images, n))]);
}
