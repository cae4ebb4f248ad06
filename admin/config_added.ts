import { SourceId } from "../engine/ids.ts";
import type { Catalogue } from "./config_references.ts";
import type { Report } from "./config_report.ts";
import type { AddedTypes, ConfigDocument, WrittenConfig } from "./config_schema.ts";
import type { Config, SinkConfig, SourceConfig } from "./config_types.ts";
import type { Finding } from "./finding.ts";
import { nearest } from "./suggest.ts";

/** Keys of an added source or sink that are ours; all others are options for whoever makes it. */
const OUR_KEYS: readonly string[] = ["type", "feed", "stage", "origin", "mode", "stream"];

/** The written configuration without the sources and sinks of added types: what all checks of ours are about. */
export function withoutAdded(written: WrittenConfig, added: AddedTypes): ConfigDocument {
  const ours = <T extends { readonly type: string }>(map: Readonly<Record<string, T>>, types: readonly string[]) =>
    Object.fromEntries(Object.entries(map).filter(([, { type }]) => !types.includes(type)));
  const { sources, sinks } = written;
  return { ...written, sources: ours(sources, added.sources), sinks: ours(sinks, added.sinks) } as ConfigDocument;
}

/** The configuration with those of added types again, all in the order written. `config` was made from the rest. */
export function withAdded(config: Config, written: WrittenConfig, added: AddedTypes): Config {
  const sources = new Map(config.sources.map((source) => [source.id as string, source]));
  const sinks = new Map(config.sinks.map((sink) => [sink.name, sink]));
  return {
    ...config,
    sources: Object.entries(written.sources).flatMap(([name, source]): readonly SourceConfig[] => {
      const ours = sources.get(name);
      if (ours !== undefined) return [ours];
      if (!isAddedSource(source, added)) return [];
      const { type, feed, stage, origin, mode = "delta" } = source;
      return [{ type: "added", id: SourceId(name), feed, stage, origin, mode, madeBy: type, options: optionsOf(source) }];
    }),
    sinks: Object.entries(written.sinks).flatMap(([name, sink]): readonly SinkConfig[] => {
      const ours = sinks.get(name);
      if (ours !== undefined) return [ours];
      if (!isAddedSink(sink, added)) return [];
      return [{ type: "added", name, stream: sink.stream, madeBy: sink.type, options: optionsOf(sink) }];
    }),
  };
}

/** What is wrong with sources of added types, as far as we can know. */
export function addedFindings({ sources }: WrittenConfig, { feeds, added }: Catalogue, report: Report): readonly Finding[] {
  if (added === undefined) return [];
  const names = feeds.map(({ name }) => name);
  return Object.entries(sources).flatMap(([name, source]) => {
    if (!isAddedSource(source, added) || names.includes(source.feed)) return [];
    const near = nearest(source.feed, names);
    const fix = near === null ? `feeds are ${names.join(", ")}` : `did you mean "${near}"?`;
    return [report.error("unknown_feed", ["sources", name, "feed"], `there is no feed "${source.feed}"`, fix)];
  });
}

type WrittenSource = WrittenConfig["sources"][string];
type WrittenSink = WrittenConfig["sinks"][string];
type AddedSource = Exclude<WrittenSource, ConfigDocument["sources"][string]>;
type AddedSink = Exclude<WrittenSink, ConfigDocument["sinks"][string]>;

function isAddedSource(source: WrittenSource, added: AddedTypes): source is AddedSource {
  return added.sources.includes(source.type);
}

function isAddedSink(sink: WrittenSink, added: AddedTypes): sink is AddedSink {
  return added.sinks.includes(sink.type);
}

function optionsOf(written: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(written).filter(([key]) => !OUR_KEYS.includes(key)));
}
