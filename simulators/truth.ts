/** What was injected into one record, as `truth/<set>.jsonl` holds it. */
export interface Label {
  readonly id: string;
  readonly label: string;
  /** Only of `changed`: the columns that differ from the version before. */
  readonly columns?: readonly string[];
}

/** A record as it is written, with the labels its written values earn: none for a normal record. */
export interface Labelled<Row> {
  readonly row: Row;
  readonly labels: readonly Label[];
}

/** A record nothing was injected into. */
export function unlabelled<Row>(row: Row): Labelled<Row> {
  return { row, labels: [] };
}
