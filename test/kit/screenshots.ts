import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { launched } from "./browser.ts";
import { gridactor, newGridFolder, ROOT } from "./grid_folder.ts";
import { seeded } from "./seeded.ts";
import { removeFolder } from "./temp_folder.ts";

// Makes the pictures of the README: the committed data, with a meter that has a past of three weeks. `npx tsx test/kit/screenshots.ts`

const TO = join(ROOT, "docs/images");
const METER = "SM-N-00042";
const DAYS = 21;
const STEP_MS = 1_800_000;
const WAIT_MS = 180_000;

const browser = await launched();
if (browser === null) throw new Error("no Chromium (apt-get install chromium, or CHROMIUM=/path)");
const folder = await newGridFolder(undefined, { "type: landing,": "type: landing, settle: 0s," });
await mkdir(join(folder.path, "past"));
await writeFile(join(folder.path, "past/past.json"), past());
await writeFile(folder.config, withPast(await readFile(folder.config, "utf8")));
const daemon = gridactor(["run"], folder);
try {
  await daemon.until(({ stderr }) => stderr.includes("asked at"));
  const base = /asked at (\S+)/.exec(daemon.output().stderr)?.[1] ?? "";
  await mkdir(TO, { recursive: true });
  const alerts = await taken(base, "light", "console_overview", "/", async (page) => {
    await page.locator(".feed li").nth(20).waitFor();
    await page.locator(".tile dd", { hasText: /^–$/ }).first().waitFor({ state: "detached" });
    return page.locator('.feed a.rule[href^="/alerts/"]', { hasText: "transformer.overheating" }).first().getAttribute("href");
  });
  await taken(base, "light", "console_meter", `/a/${METER}`, async (page) => {
    await page.locator(".chart canvas").waitFor();
    await page.setViewportSize({ width: 1280, height: 940 });
  });
  await taken(base, "dark", "console_alert", alerts ?? "/alerts", (page) => page.locator("#explain").waitFor());
  await taken(base, "light", "console_transformer", "/a/TRF-N-0034?asOf=2025-05-01", (page) => page.locator(".in-force").waitFor());
} finally {
  daemon.kill("SIGKILL");
  await daemon.ended;
  await browser.close();
  await removeFolder(folder.path);
}

async function taken<Found>(
  base: string,
  colorScheme: "light" | "dark",
  name: string,
  path: string,
  ready: (page: Page) => Promise<Found>,
): Promise<Found> {
  const context = await browser!.newContext({ colorScheme, viewport: { width: 1280, height: 720 }, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  await page.goto(`${base}${path}`);
  const found = await ready(page);
  await page.screenshot({ path: join(TO, `${name}.png`) });
  await context.close();
  return found;
}

/** The past is read before the day of the committed data. */
function withPast(config: string): string {
  const source = `  past: { feed: smart_meter, type: landing, stage: 1, settle: 0s, location: ${join(folder.path, "past")}, include: ["*.json"], format: jsonl }`;
  return config.replace("\n  meters: ", `\n${source}\n  meters: `);
}

/** Readings of one meter, each half-hour: more in the evening, and once far too much. */
function past(): string {
  const draws = seeded(42);
  const random = (): number => draws.below(1_000) / 1_000;
  const endMs = Date.UTC(2025, 5, 15);
  const lines: string[] = [];
  for (let atMs = endMs - DAYS * 86_400_000; atMs < endMs; atMs += STEP_MS) {
    const hour = (atMs % 86_400_000) / 3_600_000 + 5.5;
    const usual = 9 + 6 * Math.sin(((hour - 13) / 24) * 2 * Math.PI) + 2 * random();
    const kwh = endMs - atMs === 20 * STEP_MS ? 54.2 : usual;
    lines.push(
      JSON.stringify({
        event_id: `past-${atMs}`,
        meter_id: METER,
        customer_id: "CUST-000123",
        timestamp: new Date(atMs).toISOString(),
        reading_kwh: Math.round(kwh * 1_000) / 1_000,
        voltage_v: 230 + Math.round(20 * random()) / 10,
        current_a: Math.round(kwh * 90) / 10,
        power_factor: 0.93,
        frequency_hz: 50,
        meter_status: "ACTIVE",
        region: "NORTH",
        state: "Delhi",
        grid_zone: "ZONE-3",
      }),
    );
  }
  return `${lines.join("\n")}\n`;
}
