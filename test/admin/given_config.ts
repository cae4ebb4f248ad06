import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ConfigOptions, type Inspected, inspectConfig } from "../../admin/config.ts";
import type { Catalogue } from "../../admin/config_references.ts";
import type { Finding } from "../../admin/finding.ts";
import { days, minutes } from "../../engine/duration.ts";

export const ROOT = join(import.meta.dirname, "../..");

const COLUMNS = {
  smart_meter: ["event_id", "meter_id", "timestamp", "reading_kwh"],
  substation_telemetry: ["telemetry_id", "load_mw"],
  billing: ["transaction_id", "base_amount"],
  maintenance: ["log_id"],
  transformer_master: ["transformer_id", "status"],
  customer_master: ["customer_id", "outstanding_balance", "customer_name"],
  renewable: ["reading_id", "production_mw"],
};
const LATENESS_MS: Readonly<Record<string, number>> = {
  substation_telemetry: minutes(5),
  maintenance: days(62),
  transformer_master: Number.POSITIVE_INFINITY,
};

/** Feeds and rules of the size of a test. The first column of a feed is required. */
export const CATALOGUE: Catalogue = {
  feeds: Object.entries(COLUMNS).map(([name, columns]) => ({
    name,
    latenessMs: LATENESS_MS[name] ?? minutes(10),
    dedupMs: minutes(10),
    evolution: {},
    table: name.endsWith("_master") ? null : name,
    captured: null,
    absence: name.endsWith("_master") ? {} : null,
    fields: Object.fromEntries(columns.map((column, n) => [column, { column: { type: "string" as const }, required: n === 0 }])),
  })),
  rules: [
    { id: "meter.spike", limits: { limitKwh: 50, bandEndKwh: 120 } },
    { id: "meter.tampered", limits: {} },
    { id: "billing.tiny_amount", limits: { limitPaise: 5_000 } },
  ],
  kinds: ["meter", "customer", "bill", "transformer"],
  regions: ["NORTH", "SOUTH"],
};

const folders: string[] = [];

/** A folder of its own with these files in it. `removeFolders` removes them all. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "gridactor-config-"));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Options for the `gridactor.yaml` of a folder, with nothing in the environment. */
export function optionsIn(folder: string, more: Partial<ConfigOptions> = {}): ConfigOptions {
  return { path: null, flags: {}, env: {}, cwd: folder, packageRoot: ROOT, catalogue: CATALOGUE, ...more };
}

/** What becomes of a configuration text. `version: 1` is put in front. */
export function inspected(yaml: string, more: Partial<ConfigOptions> = {}, files: Readonly<Record<string, string>> = {}): Inspected {
  return inspectConfig(optionsIn(folderWith({ ...files, "gridactor.yaml": `version: 1\n${yaml}` }), more));
}

/** Codes of errors and warnings with their places: `unknown_key sources.meters.settel 3:20`. */
export function told(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ level, code, path, line, column }) => {
    const place = line === null ? "" : ` ${line}:${column}`;
    return `${level === "warning" ? "(warning) " : ""}${code}${path === "" ? "" : ` ${path}`}${place}`;
  });
}
