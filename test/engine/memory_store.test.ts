import * as assert from "uvu/assert";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { changes, entry, storeContract } from "../contract/store.ts";
import { suite } from "../kit/suite.ts";

storeContract({ name: "memory", durable: false, open: async () => openMemoryStore() });

const test = suite("memory store");

test("its identity is given, so that two runs make the same outputs", () => {
  assert.is(openMemoryStore("S-1").storeId, "S-1");
  assert.is(openMemoryStore().storeId, openMemoryStore().storeId);
});

test("a long log has few pieces, which add up to it, and is cut between two of them", async () => {
  const store = openMemoryStore();
  const text = "x".repeat(1_000);
  for (let n = 1; n <= 5_000; n += 10) {
    await store.commit(changes({ entries: Array.from({ length: 10 }, (_, k) => entry(n + k, text)) }));
  }
  const pieces = store.logPieces("alerts");
  const entries = await store.readLog("alerts", 1, 100_000_000);
  assert.ok(pieces.length >= 4 && pieces.length <= 5, String(pieces.length));
  assert.is(
    pieces.reduce((sum, { bytes }) => sum + bytes, 0),
    entries.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
  const start = pieces[2]?.first ?? 0;
  await store.cutLog("alerts", { pieces: pieces.slice(0, 2), start, rows: [] });
  assert.is((await store.readLog("alerts", 1, 1))[0]?.sequence, start);
  assert.equal(
    store.logPieces("alerts").map(({ first }) => first),
    pieces.slice(2).map(({ first }) => first),
  );
});
