import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { storeContract } from "../contract/store.ts";
import { suite } from "../kit/suite.ts";

storeContract({ name: "LMDB and segments", durable: true, open: (dir) => openLmdbStore({ dir, limits: DEFAULT_LIMITS }) });
storeContract({
  name: "LMDB and segments, small",
  durable: true,
  open: (dir) => openLmdbStore({ dir, limits: { segmentBytes: 300, foldAtBytes: 100 } }),
});
const test = suite("lmdb store");
test("x", () => {});
