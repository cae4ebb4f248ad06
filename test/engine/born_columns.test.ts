import * as assert from "uvu/assert";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { entriesOf } from "../../engine/log_file.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import { Turn } from "../../engine/turn.ts";
import { World } from "../../engine/world.ts";
import { suite } from "../kit/suite.ts";

const test = suite("columns born by schema evolution");

test("a new column cannot take the place of a cell that the actor adds; what came is rescued", () => {
  const schemas = new Map([["renewable", { mode: "addNewColumns" as const }]]);
  const options = { name: "main", domain: GRID, rules: new RuleTable(RULES), schemas, limits: DEFAULT_LIMITS };
  const world = new World(options, openMemoryStore());
  const intake = { source: SourceId("renewable"), feed: "renewable", mode: "delta", origin: "live" } as const;
  const record = {
    reading_id: "r1",
    plant_id: "REN-SOLAR-015",
    timestamp: "2025-06-15T08:34:12.789Z",
    production_mw: 6.2,
    Conflict: "x",
    gust_mps: 4,
  };
  const records = [{ at: 0, arrivedAtMs: Date.parse("2025-06-15T09:00:00Z"), bytes: Buffer.from(JSON.stringify(record)) }];
  const batch = { origin: "file:1/", path: "a.json", generation: 0, records, resumeAt: new Map(), idle: false };

  const { log } = new Turn(world).run(intake, batch);

  const decode = emissionDecoder("main", GRID.tables);
  log.streams.curated.closeBlock();
  const rows = entriesOf(log.streams.curated.filled).flatMap((entry) => {
    const emission = decode("curated", entry);
    return emission.stream === "curated" && emission.row.table === "renewable_production" ? [emission.row] : [];
  });
  assert.is(rows.length, 1);
  assert.is(rows[0]?.cells["conflict"], false);
  assert.is(rows[0]?.cells["gust_mps"], 4);
  assert.equal(JSON.parse(rows[0]?.rescued ?? ""), { Conflict: { value: "x", reason: "new_column" } });
});
