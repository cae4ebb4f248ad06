import type { Config, SinkConfig } from "./config_types.ts";

/** Which alert events a webhook is sent. */
export type SinkFilter = Pick<Extract<SinkConfig, { type: "webhook" }>, "severities" | "origins">;

/** The filters of all sinks that have one, by name. */
export function filtersOf({ sinks }: Pick<Config, "sinks">): ReadonlyMap<string, SinkFilter> {
  return new Map(sinks.flatMap((sink) => (sink.type === "webhook" ? [[sink.name, sink] as const] : [])));
}

/**
 * What differs between two configurations and is not taken over while an engine runs, as key paths: everything but rules and filters. Secrets that have
 * changed do not show.
 */
export function restartNeeded(before: Config, now: Config): readonly string[] {
  const keys = Object.keys(before).filter((key): key is keyof Config => key !== "rules" && key !== "sinks");
  const sinks = textOf(withoutFilters(before)) === textOf(withoutFilters(now)) ? [] : ["sinks"];
  return [...keys.filter((key) => textOf(before[key]) !== textOf(now[key])), ...sinks];
}

function withoutFilters({ sinks }: Config): unknown {
  return sinks.map((sink) => (sink.type === "webhook" ? { ...sink, severities: null, origins: null } : sink));
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part) => (part instanceof Map ? [...part] : part)) ?? "";
}
