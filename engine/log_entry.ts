/** An entry of the log as stored; `emission_codec.ts` reads it. */
export interface LogEntry {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}
