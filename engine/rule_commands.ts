import type { CommandArgs, CommandHandler } from "./command.ts";
import type { ChangedRow } from "./commit.ts";
import { PartsDraft } from "./journal.ts";
import { LogDraft } from "./log_draft.ts";
import type { RuleSetting } from "./rule_table.ts";
import type { Store } from "./store.ts";

/** Settings of rules, by their ids. */
export type RuleSettings = ReadonlyMap<string, RuleSetting>;

/** The arguments of the command `rules`. */
export function rulesArgs(settings: RuleSettings): CommandArgs {
  return { rules: rulesText(settings) };
}

/** Other settings of the rules are in force from here on: `rules`, all of them, as text. An alert that is open goes on under them. */
export const carryOutRules: CommandHandler = ({ args }, { world }) => {
  const text = String(args["rules"]);
  const isSame = text === rulesText(world.rules.settings);
  world.rules.replace(new Map(Object.entries(JSON.parse(text) as Readonly<Record<string, RuleSetting>>)));
  const log = new LogDraft();
  log.clear(world.nextSequence);
  return { commit: { parts: new PartsDraft(), log, rows: [rulesRow(text)] }, result: isSame ? "unchanged" : "done", detail: null };
};

/** The same settings are the same text, in whatever order they were written. */
export function rulesText(settings: RuleSettings): string {
  const sorted = <T>(entries: Iterable<readonly [string, T]>) => Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  const rules = [...settings].map(([id, { enabled, limits, overrides }]) => {
    const written = overrides.map(({ limits: own, ...where }) => ({
      ...sorted(Object.entries(where)),
      limits: sorted(Object.entries(own)),
    }));
    return [id, { enabled, limits: sorted(Object.entries(limits)), overrides: written }] as const;
  });
  return JSON.stringify(sorted(rules));
}

const RULES = "rules";

/** Keeps the settings in force, so that a start with others is an input, too. */
export function rulesRow(text: string): ChangedRow {
  return { table: "audit", key: RULES, value: Buffer.from(text) };
}

/** The settings that were in force when the state was written last, as text; null: nothing was written yet. */
export function storedRules(store: Pick<Store, "get">): string | null {
  const bytes = store.get("audit", RULES);
  return bytes === null ? null : Buffer.from(bytes).toString();
}
