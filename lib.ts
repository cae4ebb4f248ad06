/** The package's public entry: what a program needs to extend the grid and to run an engine in its own process. Importing it starts nothing. */
export { CommandError, type ErrorCode } from "./admin/errors.ts";
export { ConfigError } from "./admin/finding.ts";
export type { Description, Out, Woken } from "./engine/behaviour.ts";
export { days, hours, minutes, seconds } from "./engine/duration.ts";
export type { AlertData, AlertEvent, CellValue, ColumnType, CuratedRow, Emission, Severity, Table } from "./engine/emission.ts";
export { type Fault, type FaultCode, fault, Unavailable } from "./engine/fault.ts";
export {
  bool,
  civilDate,
  code,
  decimal,
  type Feed,
  type FeedOptions,
  type Field,
  type Fields,
  feed,
  id,
  instant,
  integer,
  json,
  key,
  number,
  optional,
  type RecordContext,
  type Row,
  text,
} from "./engine/feed.ts";
export type { HistoryChange, HistoryOptions, Remembered, Version } from "./engine/history.ts";
export { ActorId, keyOf, kindOf, Mark, Position } from "./engine/ids.ts";
export type { Observation, RuleLimits } from "./engine/rule.ts";
export type { Batch, SourceRecord } from "./engine/source.ts";
export type { Cells, HistoryRow, Inspection, Subscription, Summary, Times } from "./library/answers.ts";
export type { AnyBehaviour, Behaviour, Extension, Resume, Rule, Sink, SinkMaker, Source, SourceMaker } from "./library/contract.ts";
export { type Engine, type EngineOptions, openEngine } from "./library/open_engine.ts";
