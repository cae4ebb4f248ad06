import type { RuleSetting } from "../engine/rule_table.ts";

/**
 * Rules that only an engine with all records can judge. They rest on counts of a region's records in an hour, of which in a cluster each shard tells
 * the region its own part, as if it were the whole.
 */
export const ONE_ENGINE_RULES: readonly string[] = ["meter.frequency_off", "region.freshness", "region.link_quality", "region.storm"];

/** Settings of rules for a shard of a cluster: as configured, and those rules off. */
export function shardRules(configured: ReadonlyMap<string, RuleSetting>): ReadonlyMap<string, RuleSetting> {
  const off = ONE_ENGINE_RULES.map((id) => [id, { limits: {}, overrides: [], ...configured.get(id), enabled: false }] as const);
  return new Map([...configured, ...off]);
}
