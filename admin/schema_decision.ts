import type { AuditRow, CommandArgs } from "../engine/command.ts";
import { parseTypeName, type TypeName } from "../engine/schema.ts";
import type { SchemaDetail } from "../engine/schema_commands.ts";
import { CommandError } from "./errors.ts";
import { grouped } from "./format.ts";
import { printable } from "./printable.ts";
import type { SchemaItem } from "./schema.ts";
import { nearest } from "./suggest.ts";
import { type AskOther, type Query, textOf } from "./verb.ts";

/** What became of it: `records` whose rows were said again with the value (approve) or wait no longer (ignore); `left`: with a value that does not fit. */
export interface Decision {
  readonly feed: string;
  readonly column: string;
  /** Null: it is ignored. */
  readonly type: TypeName | null;
  readonly version: number;
  /** False: it had been decided so before. */
  readonly isNew: boolean;
  readonly records: number;
  readonly left: number;
  /** Records whose rows have left the log. */
  readonly gone: number;
}

/** What `schema approve` and `schema ignore` mean. Throws NOT_FOUND for a feed that is none, USAGE for a type that is none. */
export async function decisionArgs(query: Query, ask: AskOther): Promise<CommandArgs> {
  return decisionOn(
    query,
    ((await ask("schema ls", {})) as readonly SchemaItem[]).map((item) => item.feed),
  );
}

/** The same where the names of the feeds are known. */
export function decisionOn(query: Query, feeds: readonly string[]): CommandArgs {
  const [feed, column, type] = ["feed", "column", "type"].map((name) => textOf(query, name));
  if (feed === undefined || !feeds.includes(feed)) {
    const near = nearest(feed ?? "", feeds);
    throw new CommandError("NOT_FOUND", `no feed ${feed}`, { hint: `feeds: ${feeds.join(", ")}`, candidates: near === null ? [] : [near] });
  }
  return { feed, column: column ?? "", ...(type === undefined ? {} : { type: typeNamed(type) }) };
}

/** The answer to `schema approve` and `schema ignore`. */
export function decided({ args, detail }: Pick<AuditRow, "args" | "detail">): Decision {
  const { version, isNew, amended, left, gone } = detail as SchemaDetail;
  const type = args["type"] === undefined ? null : typeNamed(String(args["type"]));
  return { feed: String(args["feed"]), column: String(args["column"]), type, version, isNew, records: amended, left, gone };
}

/** One line for people. */
export function decisionText({ feed, column, type, version, isNew, records, left, gone }: Decision): string {
  const what = type === null ? "is ignored" : `is ${type}`;
  const counts = [
    `${grouped(records)} records ${type === null ? "settled" : "said again with it"}`,
    ...(left > 0 ? [`${grouped(left)} with a value that does not fit`] : []),
    ...(gone > 0 ? [`${grouped(gone)} no longer in the log`] : []),
  ];
  return `${feed} v${version}: ${printable(column)} ${what}${isNew ? "" : " already"} · ${counts.join(" · ")}\n`;
}

function typeNamed(text: string): TypeName {
  const type = parseTypeName(text);
  if (type !== null) return type;
  throw new CommandError("USAGE", `"${text}" is no type`, {
    hint: "string, double, bigint, boolean, date, timestamp, json, or decimal(18,2)",
  });
}
