import * as assert from "uvu/assert";
import { BadThrift, ThriftReader } from "../../../../sources/formats/parquet/thrift.ts";
import { struct } from "../../../kit/parquet_forger.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("thrift");

test("a struct is read to its end: numbers, structs, lengths of lists; texts are passed over", () => {
  const bytes = struct([
    [1, { i32: -7 }],
    [3, { text: "skipped" }],
    [4, { list: [{ i64: 1 }, { i64: 2 }] }],
    [16, { struct: [[2, { i64: 9_000_000_000 }]] }],
  ]);
  const reader = new ThriftReader(Buffer.concat([bytes, Buffer.from("behind")]), 0);
  const fields = reader.struct();
  assert.equal([...fields].slice(0, 3), [
    [1, -7],
    [3, null],
    [4, 2],
  ]);
  assert.equal(fields.get(16), new Map([[2, 9_000_000_000]]));
  assert.is(reader.at, bytes.length);
});

test("what claims more than there is, or has no end, is refused before anything is made of it", () => {
  for (const bytes of [
    struct([[1, { list: [{ i32: 1 }], claims: 2 ** 31 - 1 }]]),
    Buffer.from([0x18, 0xff, 0xff, 0xff, 0x7f, 0]), // A text of 2^28 bytes.
    Buffer.alloc(60_000, 0x1c), // Structs in structs.
    Buffer.alloc(20, 0xff),
    Buffer.from([0x15]),
    Buffer.alloc(0),
  ]) {
    assert.throws(
      () => new ThriftReader(bytes, 0).struct(),
      (error: unknown) => error instanceof BadThrift,
    );
  }
});
