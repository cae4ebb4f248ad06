import * as assert from "uvu/assert";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { storeContract } from "../contract/store.ts";
import { suite } from "../kit/suite.ts";

storeContract({ name: "memory", durable: false, open: async () => openMemoryStore() });

const test = suite("memory store");

test("its identity is given, so that two runs make the same outputs", () => {
  assert.is(openMemoryStore("S-1").storeId, "S-1");
  assert.is(openMemoryStore().storeId, openMemoryStore().storeId);
});
