import { GRID } from "../actors/registry.ts";
import { RULES } from "../actors/rules.ts";
import { DamagedStore, NoStore, OtherFormat } from "../engine/damaged_store.ts";
import { emissionDecoder } from "../engine/emission_codec.ts";
import { openLmdbStore } from "../engine/lmdb_store.ts";
import type { Rule } from "../engine/rule.ts";
import { RuleTable } from "../engine/rule_table.ts";
import { requireShapes } from "../engine/shapes.ts";
import type { Domain } from "../engine/world.ts";
import { configuredDomain } from "./config_domain.ts";
import type { Config } from "./config_types.ts";
import { CommandError } from "./errors.ts";
import type { ReadStore } from "./reader.ts";
import type { Known } from "./verb.ts";

/** What reading a state directory needs of the configuration. It holds no secret, and can be sent to another process. */
export type StateConfig = Pick<Config, "name" | "stateDir" | "limits" | "feeds"> & Partial<Pick<Config, "rules">>;

/** What a state is of: the shipped grid, or with what a program adds. */
export interface Grid {
  readonly domain: Domain;
  readonly rules: readonly Rule[];
}

const SHIPPED: Grid = { domain: GRID, rules: RULES };

/** Opens the state directory to look at it, also while a daemon runs on it, and closes it again. Throws UNREACHABLE and CONFIG. */
export async function withState<T>(config: StateConfig, look: (known: Known) => Promise<T> | T, grid: Grid = SHIPPED): Promise<T> {
  const store = await openLmdbStore({ dir: config.stateDir, limits: config.limits, readOnly: true }).catch((error: unknown) => {
    throw stateError(error);
  });
  try {
    requireShapes(store, grid.domain);
    return await look(knownOf(config, store, grid));
  } catch (error) {
    throw stateError(error);
  } finally {
    await store.close();
  }
}

/** A store, with what the configuration says of the grid in it. */
export function knownOf({ name, feeds, rules }: Omit<StateConfig, "stateDir" | "limits">, store: ReadStore, grid: Grid = SHIPPED): Known {
  const domain = configuredDomain(grid.domain, { feeds });
  return {
    view: { store, domain, decode: emissionDecoder(name, domain.tables) },
    rules: grid.rules.map(({ id }) => id),
    ruleTable: new RuleTable(grid.rules, rules),
    schemas: new Map([...feeds].map(([feed, { schema }]) => [feed, schema])),
  };
}

/** A state of another version, as an error of the command line: what it says, and what can be done. */
export function otherFormat({ message }: OtherFormat): CommandError {
  const hint = "run the version that wrote it, or give a new --state: the sources are then read from their beginning";
  return new CommandError("CONFIG", message, { hint });
}

function stateError(error: unknown): unknown {
  if (error instanceof NoStore) return new CommandError("UNREACHABLE", error.message, { hint: "gridactor run --drain" });
  const damage = error instanceof Error && error.cause instanceof DamagedStore ? error.cause : error;
  if (damage instanceof OtherFormat) return otherFormat(damage);
  return damage instanceof DamagedStore ? new CommandError("CONFIG", damage.message, { hint: "gridactor restore DIR" }) : error;
}
