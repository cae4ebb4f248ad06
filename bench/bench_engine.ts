import { GRID } from "../actors/registry.ts";
import { RULES } from "../actors/rules.ts";
import { wallClock } from "../engine/clock.ts";
import { emissionDecoder } from "../engine/emission_codec.ts";
import { Engine, type EngineOptions } from "../engine/engine.ts";
import { DEFAULT_LIMITS } from "../engine/limits.ts";
import { RuleTable } from "../engine/rule_table.ts";
import type { Source } from "../engine/source.ts";
import type { Store } from "../engine/store.ts";

/** What differs between benches; the rest is as an engine of the grid has it. */
type Measured = Partial<Pick<EngineOptions, "limits" | "sinks" | "onBatch">> & { readonly store: Store; readonly source: Source };

/** An engine of the whole grid that takes smart meter readings from one source. An outage ends the bench. */
export function benchEngine({ store, source, ...measured }: Measured): Engine {
  return new Engine({
    name: "bench",
    domain: GRID,
    rules: new RuleTable(RULES),
    schemas: new Map(),
    limits: DEFAULT_LIMITS,
    store,
    sources: [{ source, stage: 1, holdsNext: true, intake: { source: source.id, feed: "smart_meter", mode: "delta", origin: "live" } }],
    sinks: [],
    decode: emissionDecoder("bench", GRID.tables),
    clock: wallClock,
    random: Math.random,
    onRetry: (_source, error) => {
      throw error;
    },
    onStage: () => {},
    ...measured,
  });
}
