/** A partition that is read no more. `isGap`: at a gap, which may be accepted; else it is not read before the next start. */
export interface Stop {
  readonly source: string;
  readonly partition: string;
  readonly reason: string;
  readonly isGap: boolean;
}
