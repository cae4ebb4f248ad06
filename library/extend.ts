import type { AddedOptions, Assembly, Resume } from "../compose.ts";
import type { Description, Behaviour as EngineBehaviour } from "../engine/behaviour.ts";
import type { CellValue, Table } from "../engine/emission.ts";
import type { Feed } from "../engine/feed.ts";
import type { Rule as EngineRule } from "../engine/rule.ts";
import { resolveTable } from "../engine/table.ts";
import type { AnyBehaviour, Extension, Rule, SinkMaker, SourceMaker } from "./contract.ts";

/** Types that the configuration knows by itself. */
const OUR_TYPES: readonly string[] = ["landing", "simulator", "kafka", "eventhub", "jsonl", "parquet", "webhook"];

/** The shipped grid with what a program adds. Throws `TypeError` if a name is taken, or a source or sink type is one of ours. */
export function extended(shipped: Assembly, extension: Extension): Assembly {
  const { actors = [], feeds = [], rules = [], tables = [], sources = {}, sinks = {} } = extension;
  const { domain } = shipped;
  requireNew(
    "kind of actor",
    [...domain.behaviours, ...actors].map(({ kind }) => kind),
  );
  requireNew(
    "feed",
    [...domain.feeds, ...feeds].map(({ name }) => name),
  );
  requireNew(
    "rule",
    [...shipped.rules, ...rules].map(({ id }) => id),
  );
  requireNew("type", [...OUR_TYPES, ...Object.keys(sources)]);
  requireNew("type", [...OUR_TYPES, ...Object.keys(sinks)]);
  const added = tablesOf(feeds, tables);
  requireNew(
    "table",
    [...domain.tables, ...added].map(({ name }) => name),
  );
  const clocks = feeds.map(({ name }) => name);
  return {
    domain: {
      behaviours: [...domain.behaviours, ...actors.map((behaviour) => engineBehaviour(behaviour, clocks))],
      feeds: [...domain.feeds, ...feeds],
      tables: [...domain.tables, ...added.map((table) => resolveTable(table, feeds.find(({ name }) => name === table.feed) ?? null))],
    },
    rules: [...shipped.rules, ...rules.map(engineRule)],
    sources: new Map(Object.entries(sources).map(([type, make]) => [type, madeSource(make)])),
    sinks: new Map(Object.entries(sinks).map(([type, maker]) => [type, madeSink(maker)])),
  };
}

function requireNew(what: string, names: readonly string[]): void {
  const taken = names.find((name, n) => names.indexOf(name) !== n);
  if (taken !== undefined) throw new TypeError(`the ${what} "${taken}" is there already`);
}

/** A table for each feed that has one, with the columns that are added to it; then those that belong to no feed of the program's. */
function tablesOf(feeds: readonly Feed[], tables: readonly Table[]): readonly Table[] {
  const ofFeeds = feeds.flatMap(({ name, table }): readonly Table[] => {
    if (table === null) return [];
    return [{ name: table, feed: name, columns: tables.find((each) => each.name === table)?.columns ?? {} }];
  });
  return [...ofFeeds, ...tables.filter(({ name }) => ofFeeds.every((table) => table.name !== name))];
}

function engineRule(rule: Rule): EngineRule {
  return { ...rule, summary: rule.summary ?? rule.id };
}

function engineBehaviour(behaviour: AnyBehaviour, clocks: readonly string[]): EngineBehaviour<object, { readonly type: string }> {
  return {
    kind: behaviour.kind,
    version: behaviour.version,
    clocks: behaviour.clocks ?? clocks,
    ...(behaviour.history === undefined ? {} : { history: behaviour.history }),
    initial: (id) => behaviour.initial(id),
    receive: (state, message, out) => behaviour.receive(state, message, out),
    describe: (state, id) => behaviour.describe?.(state, id) ?? described(state),
    rolling: (state, id) => behaviour.describe?.(state, id).rolling ?? null,
    links: (state, id) => behaviour.links?.(state, id) ?? {},
  };
}

function described(state: object): Description {
  const attributes = Object.entries(state).filter((member): member is [string, CellValue] => isCell(member[1]));
  return { status: null, attributes: Object.fromEntries(attributes), latest: null, rolling: null };
}

function isCell(value: unknown): value is CellValue {
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** What a maker wants in its options is between it and the configuration: it is asked to check them. */
function madeSource(make: SourceMaker) {
  return (options: AddedOptions) => make(options as never);
}

function madeSink(maker: SinkMaker) {
  return (options: AddedOptions, resume: Resume) => (typeof maker === "function" ? maker(options as never, resume) : maker);
}
