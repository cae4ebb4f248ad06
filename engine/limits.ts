import { days, minutes } from "./duration.ts";

/** Every bound of the engine by name and unit. All may be lowered by configuration; raising one needs a flag. */
export interface Limits {
  readonly recordBytesMax: number;
  readonly depthMax: number;
  readonly keysMax: number;
  readonly arrayLengthMax: number;
  readonly stringBytesMax: number;
  readonly csvColumnsMax: number;
  readonly actorIdBytesMax: number;
  readonly batchRecords: number;
  readonly batchBytes: number;
  readonly hopsMax: number;
  readonly tellsMax: number;
  readonly futureMs: number;
  readonly warmBytesMax: number;
  readonly timersPerActorMax: number;
  readonly dedupEntriesMax: number;
  readonly episodesPerActorMax: number;
  readonly actors: number;
  readonly quarantineBytesKept: number;
  readonly quarantineHeadBytes: number;
  readonly rescuedBytesMax: number;
  readonly evidenceBytesMax: number;
  readonly segmentBytes: number;
  readonly foldAtBytes: number;
  readonly correctionWindowMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  recordBytesMax: 1_048_576,
  depthMax: 64,
  keysMax: 1_000,
  arrayLengthMax: 10_000,
  stringBytesMax: 262_144,
  csvColumnsMax: 2_000,
  actorIdBytesMax: 128,
  batchRecords: 5_000,
  batchBytes: 8_388_608,
  hopsMax: 8,
  tellsMax: 1_000,
  futureMs: minutes(5),
  warmBytesMax: 262_144,
  timersPerActorMax: 16,
  dedupEntriesMax: 256,
  episodesPerActorMax: 32,
  actors: 2_000_000,
  quarantineBytesKept: 1_048_576,
  quarantineHeadBytes: 65_536,
  rescuedBytesMax: 65_536,
  evidenceBytesMax: 2_048,
  segmentBytes: 67_108_864,
  foldAtBytes: 104_857_600,
  correctionWindowMs: days(7),
};
