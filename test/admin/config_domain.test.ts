import * as assert from "uvu/assert";
import type { BillChange } from "../../actors/message.ts";
import { REGIONS } from "../../actors/names.ts";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { type LoadedConfig, loadConfig, requireRunnable } from "../../admin/config.ts";
import { configuredDomain } from "../../admin/config_domain.ts";
import { minutes } from "../../engine/duration.ts";
import { ActorId } from "../../engine/ids.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import { firstSchema } from "../../engine/schema.ts";
import { told } from "../kit/decoding.ts";
import { GUIDE_BILL } from "../kit/guide_samples.ts";
import { suite } from "../kit/suite.ts";
import { folderWith, optionsIn, ROOT, removeFolders } from "./given_config.ts";

const test = suite("the grid as configured");
test.after(removeFolders);

test("the shipped configuration is valid for the grid, can be run, and changes none of its defaults", () => {
  const loaded = load(ROOT);
  assert.equal(loaded.warnings, []);
  assert.not.throws(() => requireRunnable(loaded));
  const domain = configuredDomain(GRID, loaded.config);
  for (const [n, feed] of GRID.feeds.entries()) {
    const { latenessMs, dedupMs, clockDelayMs } = domain.feeds[n] ?? {};
    assert.equal([latenessMs, dedupMs, clockDelayMs], [feed.latenessMs, feed.dedupMs, feed.clockDelayMs], feed.name);
    const { mode, hints } = firstSchema(feed, loaded.config.feeds.get(feed.name)?.schema);
    assert.equal([mode, hints], [feed.evolution.mode ?? "rescue", feed.evolution.hints ?? {}], feed.name);
  }
  assert.equal(domain.behaviours, GRID.behaviours);
  const table = new RuleTable(RULES, loaded.config.rules);
  for (const { id, limits } of RULES) assert.equal(table.limits(id, nobody, nowhere), limits, id);
});

test("update masks are read in the order in which the configuration says that columns were captured", () => {
  const yaml = "version: 1\nfeeds: { billing: { captureColumns: [due_date, not_ours, payment_method] } }";
  const loaded = load(folderWith({ "gridactor.yaml": yaml }));
  assert.not.throws(() => requireRunnable(loaded));
  const billing = configuredDomain(GRID, loaded.config).feeds.find(({ name }) => name === "billing");
  assert.ok(billing);
  const json = { ...GUIDE_BILL, __$operation: 4, payment_method: null, due_date: null, __$update_mask: "0x04" };
  const { authored } = told(billing, { json }) as BillChange;
  assert.equal([authored.includes("payment_method"), authored.includes("due_date")], [true, false]);
  const other = load(folderWith({ "gridactor.yaml": "version: 1\nfeeds: { renewable: { captureColumns: [plant_id] } }" }));
  assert.equal(
    other.warnings.map(({ code }) => code),
    ["unsupported"],
  );
});

test("lateness, history columns and limits of rules are those of the configuration", () => {
  const yaml = [
    "feeds:",
    "  smart_meter: { lateness: 20m, dedup: 30m }",
    "  billing: { lateness: 1h }",
    "  customer_master: { history: { untracked: [customer_name] } }",
    "rules: { meter.spike: { limitKwh: 60, overrides: [{ region: NORTH, limitKwh: 70 }] } }",
  ].join("\n");
  const { config } = load(folderWith({ "gridactor.yaml": `version: 1\n${yaml}` }));
  const { feeds, behaviours } = configuredDomain(GRID, config);
  const [meter, billing] = ["smart_meter", "billing"].map((name) => feeds.find((feed) => feed.name === name));
  assert.equal([meter?.latenessMs, meter?.dedupMs, meter?.clockDelayMs], [minutes(20), minutes(30), minutes(20)]);
  assert.equal([billing?.latenessMs, billing?.clockDelayMs], [minutes(60), minutes(1)], "a clock with a delay of its own keeps it");
  const customer = behaviours.find(({ kind }) => kind === "customer");
  assert.equal(customer?.history?.untracked, ["customer_name"]);
  assert.equal(customer?.history?.ignored, GRID.behaviours.find(({ kind }) => kind === "customer")?.history?.ignored);
  const table = new RuleTable(RULES, config.rules);
  assert.is(table.limits("meter.spike", nobody, nowhere)["limitKwh"], 60);
  assert.is(table.limits("meter.spike", nobody, () => ({ region: "NORTH", tariff: null }))["limitKwh"], 70);
});

const nobody = ActorId("meter", "SM-N-00001");
const nowhere = (): { readonly region: null; readonly tariff: null } => ({ region: null, tariff: null });

function load(folder: string): LoadedConfig {
  const kinds = GRID.behaviours.map(({ kind }) => kind);
  return loadConfig(optionsIn(folder, { catalogue: { feeds: GRID.feeds, rules: RULES, kinds, regions: REGIONS } }));
}
