import type { FileMetaData, ParquetType, SchemaElement } from "hyparquet";
import { sound } from "./damage.ts";

const DEPTH_MAX = 64;

/** What has to be known of a column to look into its pages. */
export interface Leaf {
  readonly type: ParquetType;
  /** Bytes of a value of fixed length, 0 for others. */
  readonly typeLength: number;
  /** Highest levels: how many of the column's ancestors, itself included, may be null or repeated, and are repeated. */
  readonly definitionMax: number;
  readonly repetitionMax: number;
}

export interface NamedLeaf extends Leaf {
  readonly path: readonly string[];
}

/** The columns that hold values, in the order in which they lie in a row group, each with its path of names. */
export function leavesOf(footer: FileMetaData): readonly NamedLeaf[] {
  const { schema } = footer;
  const leaves: NamedLeaf[] = [];
  /** Returns the index behind the element's subtree: elements stand depth first. */
  const visit = (at: number, path: readonly string[], definitions: number, repetitions: number): number => {
    const element = schema[at];
    sound(element !== undefined && path.length < DEPTH_MAX, "the schema is damaged");
    const below = [...path, element.name];
    const definitionMax = definitions + (element.repetition_type === "REQUIRED" ? 0 : 1);
    const repetitionMax = repetitions + (element.repetition_type === "REPEATED" ? 1 : 0);
    if (element.type !== undefined)
      leaves.push({ path: below, type: element.type, typeLength: element.type_length ?? 0, definitionMax, repetitionMax });
    let behind = at + 1;
    for (let n = 0; n < (element.num_children ?? 0); n += 1) behind = visit(behind, below, definitionMax, repetitionMax);
    return behind;
  };
  let at = 1;
  while (at < schema.length) at = visit(at, [], 0, 0);
  return leaves;
}

/** The elements of the top-level columns, in order. */
export function topLevel(footer: FileMetaData): readonly SchemaElement[] {
  const { schema } = footer;
  const elements: SchemaElement[] = [];
  for (let at = 1; at < schema.length; at = behindSubtree(schema, at)) elements.push(schema[at] as SchemaElement);
  return elements;
}

function behindSubtree(schema: readonly SchemaElement[], at: number): number {
  let open = 1;
  let behind = at;
  for (; open > 0 && behind < schema.length; behind += 1) open += (schema[behind]?.num_children ?? 0) - 1;
  return behind;
}
