import { configJsonSchema } from "./config_schema.ts";
import type { KeyPath } from "./finding.ts";

/** The part of a JSON Schema that is read here. */
export interface Shape {
  readonly type?: string;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: Shape | boolean;
  readonly items?: Shape;
  readonly oneOf?: readonly Shape[];
  readonly anyOf?: readonly Shape[];
  readonly writeOnly?: boolean;
}

const ROOT: Shape = configJsonSchema();

/** What the schema may mean by a key path; where it offers a choice, `value` (the whole configuration) decides as far as it can. */
export function shapesAt(path: KeyPath, value: unknown): readonly Shape[] {
  let shapes: readonly Shape[] = chosen(ROOT, value);
  let at = value;
  for (const key of path) {
    at = childValue(at, key);
    shapes = shapes.flatMap((shape) => childShape(shape, key)).flatMap((shape) => chosen(shape, at));
  }
  return shapes;
}

/** The keys that the schema knows at a path: empty where names are free. */
export function knownKeys(path: KeyPath, value: unknown): readonly string[] {
  return [...new Set(shapesAt(path, value).flatMap((shape) => Object.keys(shape.properties ?? {})))];
}

/** Whether the value at a path is a secret: never printed, whatever it holds. */
export function isSecret(path: KeyPath, value: unknown): boolean {
  return shapesAt(path, value).some((shape) => shape.writeOnly === true);
}

/** Whether a text or number belongs at a path, and may be printed. What stands elsewhere may be a secret that slipped. */
export function isPrintable(path: KeyPath, value: unknown): boolean {
  return !isSecret(path, value) && shapesAt(path, value).some(({ type }) => type !== "object" && type !== "array");
}

/** The own value of a key of a map or an index of a list; undefined if there is none. */
export function childValue(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

/** The own value at a path. */
export function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(childValue, value);
}

function childShape({ properties, additionalProperties, items }: Shape, key: string): readonly Shape[] {
  const named = properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;
  const child = named ?? (typeof additionalProperties === "object" ? additionalProperties : items);
  return child === undefined ? [] : [child];
}

/** The branches of a choice that the value may take: of the same `type` key, else of the same JSON type, else all. */
function chosen(shape: Shape, value: unknown): readonly Shape[] {
  const branches = shape.oneOf ?? shape.anyOf;
  if (branches === undefined) return [shape];
  const type = childValue(value, "type");
  const named = branches.filter(({ properties }) => properties?.["type"] !== undefined && properties["type"].const === type);
  const typed = branches.filter((branch) => branch.type === jsonType(value));
  return named.length > 0 ? named : typed.length > 0 ? typed : branches;
}

function jsonType(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}
