// timeout: 600 s
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import * as assert from "uvu/assert";
import { launched, type Visit, visit } from "../kit/browser.ts";
import { type GridFolder, gridactor, newGridFolder, type Running } from "../kit/grid_folder.ts";
import { notRun, suite } from "../kit/suite.ts";
import { removeFolder } from "../kit/temp_folder.ts";

const test = suite("console in a browser");

const MISSING = "no Chromium (apt-get install chromium, or CHROMIUM=/path)";
const ASKED_MAX = 2_000;
const SCHEMES = ["light", "dark"] as const;
const SPIKE = {
  customer_id: "CUST-000123",
  voltage_v: 231.2,
  current_a: 12.1,
  power_factor: 0.93,
  frequency_hz: 50.01,
  meter_status: "ACTIVE",
};

let folder: GridFolder;
let daemon: Running;
let base: string;
let browser: Browser | null;
const visits: Visit[] = [];
test.before(async () => {
  browser = await launched();
  if (browser === null) return;
  folder = await newGridFolder(undefined, { "type: landing,": "type: landing, settle: 0s, poll: 1s," });
  await mkdir(join(folder.path, "inbox"));
  await writeFile(folder.config, withInbox(await readFile(folder.config, "utf8")));
  daemon = gridactor(["run"], folder);
  await daemon.until(({ stderr }) => stderr.includes("asked at"));
  base = /asked at (\S+)/.exec(daemon.output().stderr)?.[1] ?? "";
});
test.after(async () => {
  for (const one of visits) await one.close();
  await browser?.close();
  if (browser === null) return;
  daemon.kill("SIGKILL");
  await daemon.ended;
  await removeFolder(folder.path);
});

/** Nothing comes by itself: the live sources go, and a folder is watched for what a test puts there. */
function withInbox(config: string): string {
  const kept = config.split("\n").filter((line) => !line.includes("type: simulator"));
  const inbox = `  inbox: { feed: smart_meter, type: landing, stage: 3, settle: 0s, poll: 1s, location: ${join(folder.path, "inbox")}, include: ["*.json"], format: jsonl }`;
  return kept.join("\n").replace(/\nfeeds:/, `\n${inbox}\nfeeds:`);
}

let files = 0;

/** Puts records into the watched folder. */
async function arrive(...records: readonly (object | string)[]): Promise<void> {
  files += 1;
  const path = join(folder.path, "inbox", `${files}.json`);
  await writeFile(`${path}.tmp`, `${records.map((record) => (typeof record === "string" ? record : JSON.stringify(record))).join("\n")}\n`);
  await rename(`${path}.tmp`, path);
}

function reading(meter: string, minute: number, kwh: number): object {
  const timestamp = `2025-06-15T23:${String(minute).padStart(2, "0")}:00.000Z`;
  return {
    ...SPIKE,
    event_id: `e-${meter}-${minute}`,
    meter_id: meter,
    timestamp,
    reading_kwh: kwh,
    region: "NORTH",
    state: "Delhi",
    grid_zone: "ZONE-3",
  };
}

for (const scheme of SCHEMES) {
  browsed(`five regions are seen, and a new alert arrives (${scheme})`, scheme, async ({ page, accessible }) => {
    await page.goto(base);
    await untilCount(page, ".tile", 5);
    await page.getByText("live", { exact: true }).waitFor();
    const meter = scheme === "light" ? "SM-N-00042" : "SM-N-00043";
    await arrive(reading(meter, scheme === "light" ? 50 : 51, 61.5));
    await page.locator("[data-feed] li", { hasText: meter }).filter({ hasText: "meter.spike" }).first().waitFor();
    await page.locator("[data-feed-log]", { hasText: /meter/ }).waitFor({ state: "attached" });
    await accessible("overview");
    await page.getByRole("button", { name: "Pause" }).click();
    assert.is(await page.getByRole("button", { name: "Go on" }).getAttribute("aria-pressed"), "true");
  });

  browsed(`an actor is found by its id, its readings are a chart, and a table (${scheme})`, scheme, async ({ page, accessible }) => {
    const meter = scheme === "light" ? "SM-N-00044" : "SM-N-00045";
    await arrive(reading(meter, 30, 5), reading(meter, 40, 66));
    await page.goto(base);
    await page.keyboard.press("/");
    await page.keyboard.type("sm-n-00042");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "SM-N-00042" }).waitFor();
    await page.goto(`${base}/a/${meter}`);
    await page.locator("#measured", { hasText: "66" }).waitFor();
    await page.locator(".chart canvas").waitFor();
    assert.match(String(await page.locator("figcaption").textContent()), /\d readings? of reading kWh/);
    await page.locator("[data-canvas]").focus();
    await page.keyboard.press("End");
    await page.locator("[data-readout]", { hasText: "66" }).waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.locator("[data-readout]", { hasText: ": reading kWh 5" }).waitFor();
    await accessible("actor with a chart");
    await page.getByRole("button", { name: "Show as table" }).click();
    await page.locator("[data-table] tbody tr").first().waitFor();
    await accessible("actor with a table");
    await page.getByRole("button", { name: "Show as chart" }).click();
    await page.locator(".chart canvas").waitFor();
  });

  browsed(`a slider shows a transformer as it was (${scheme})`, scheme, async ({ page, accessible }) => {
    await page.goto(`${base}/a/TRF-N-0034`);
    await page.getByText("2 versions").waitFor();
    const slider = page.getByRole("slider", { name: "As of, slider" });
    await slider.fill(String(Date.UTC(2025, 4, 1) / 1_000));
    await page.locator("[data-version]", { hasText: /^1$/ }).waitFor();
    assert.match(page.url(), /\?asOf=2025-05-01$/);
    assert.is(await page.locator("#asOf").inputValue(), "2025-05-01");
    await page.locator("#state", { hasText: "ACTIVE" }).waitFor();
    await page.locator(".in-force", { hasText: "v1" }).waitFor();
    await accessible("actor as of");
    await page.locator("h1").click();
    await page.keyboard.press("]");
    await page.waitForURL(/asOf=2025-05-02$/);
    await page.keyboard.press("[");
    await page.waitForURL(/asOf=2025-05-01$/);
    await page.reload();
    await page.locator("[data-version]", { hasText: /^1$/ }).waitFor();
    await page.getByRole("link", { name: "Now" }).click();
    await page.getByText("2 versions").waitFor();
  });

  browsed(`the tree opens by keyboard (${scheme})`, scheme, async ({ page, accessible }) => {
    await page.goto(`${base}/grid`);
    const north = page.locator('tr[data-id="region/NORTH"]');
    await north.focus();
    await page.keyboard.press("ArrowRight");
    await page.locator('tr[data-id="substation/SUB-N-012"]').waitFor();
    await page.locator('tr[data-id="substation/SUB-N-012"]').focus();
    await page.keyboard.press("ArrowRight");
    await page.locator('tr[data-id="transformer/TRF-N-0034"]').waitFor();
    assert.is(await page.evaluate("document.activeElement?.closest('tr')?.dataset.id"), "substation/SUB-N-012");
    await page.locator('tr[data-id="substation/SUB-N-012"]').focus();
    await page.keyboard.press("ArrowDown");
    assert.match(String(await page.evaluate("document.activeElement?.dataset.id")), /^transformer\//);
    await accessible("grid");
    await page.locator('tr[data-id="region/NORTH"]').focus();
    await page.keyboard.press("ArrowLeft");
    await page.locator('tr[data-id="substation/SUB-N-012"]').waitFor({ state: "detached" });
  });

  browsed(`filters of alerts are kept over a reload, and an alert says why (${scheme})`, scheme, async ({ page, accessible }) => {
    await page.goto(`${base}/alerts`);
    await page.getByLabel("Rule").fill("transformer.overheating");
    await page.getByLabel("Severity").selectOption("critical");
    await page.waitForURL(/severity=critical/);
    await page.reload();
    assert.is(await page.getByLabel("Rule").inputValue(), "transformer.overheating");
    await page.locator("#alert-list tbody tr").first().waitFor();
    const rules = await page.locator("#alert-list tbody .rule").allInnerTexts();
    assert.equal([...new Set(rules)], ["transformer.overheating"]);
    await accessible("alerts");
    await page.locator("#alert-list tbody a", { hasText: "ALR-" }).first().click();
    await page.locator("#explain", { hasText: "rules.transformer.overheating.limitK" }).waitFor();
    await page.locator("#act", { hasText: "Log in" }).waitFor();
    await accessible("alert");
  });

  browsed(`every page is there, and stays within the rules (${scheme})`, scheme, async ({ page, accessible }) => {
    await page.goto(`${base}/about`);
    for (const [key, title] of [
      ["p", "Pipeline"],
      ["q", "Quarantine"],
      ["b", "About"],
      ["a", "Alerts"],
      ["g", "Grid"],
      ["o", "Overview"],
    ] as const) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.waitForURL((url) => url.pathname === (title === "Overview" ? "/" : `/${title.toLowerCase()}`));
      await page.locator("main section, main .tile").first().waitFor();
      await accessible(title);
    }
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await accessible("keys");
    await page.keyboard.press("Escape");
    await page.goto(`${base}/login`);
    await accessible("login");
  });

  browsed(`an alert is acknowledged with a token, and not without (${scheme})`, scheme, async ({ page, accessible, forgive }) => {
    const alert = await openAlert(scheme === "light" ? 0 : 1);
    await page.goto(`${base}/alerts/${alert}`);
    assert.is(await page.locator("[data-write]").count(), 0);
    await page.locator("#act").getByRole("link", { name: "Log in" }).click();
    await logIn(page, "wrong");
    await page.getByText("the token is wrong").waitFor();
    forgive(/401/);
    await accessible("refused login");
    await logIn(page);
    await page.waitForURL(`${base}/alerts/${alert}`);
    await accessible("alert, logged in");
    const form = page.locator('[data-write$="/ack"]');
    await form.getByLabel("Reason").fill("<b>seen</b>");
    await form.getByRole("button", { name: "Acknowledge" }).click();
    await page.locator(".badge", { hasText: "acknowledged" }).waitFor();
    await page.locator("#events", { hasText: "acknowledged" }).waitFor();
  });

  browsed(`a quarantined record is retried, and dropped (${scheme})`, scheme, async ({ page, accessible }) => {
    await arrive({ event_id: `bad-${scheme}`, meter_id: "SM-N-00042", timestamp: "2025-06-15T23:00:00Z", reading_kwh: `<b>${scheme}</b>` });
    const id = await quarantined(`bad-${scheme}`);
    await page.goto(`${base}/login?next=%2Fquarantine`);
    await logIn(page);
    await page.locator("#rows").getByRole("link", { name: id }).click();
    await page.locator("mark", { hasText: `"reading_kwh": "<b>${scheme}</b>"` }).waitFor();
    await accessible("quarantined record");
    await page.getByRole("button", { name: "Retry" }).click();
    await page.locator("#record .facts div", { hasText: "attempts" }).getByText("2").waitFor();
    await page.getByRole("button", { name: "Drop" }).click();
    await page.locator("#record .note", { hasText: "dropped" }).waitFor();
    assert.is(await page.locator("[data-write]").count(), 0);
  });
}

browsed("a chart is drawn again in the colours of the dark", "light", async ({ page }) => {
  await page.goto(`${base}/a/SM-N-00044`);
  await page.locator(".chart canvas").waitFor();
  // In the next frame, for another canvas takes the place of the first one. No picture: none is there.
  const drawn = (): Promise<string> =>
    page.evaluate(`new Promise((tell) => requestAnimationFrame(() => tell(document.querySelector(".chart canvas")?.toDataURL() ?? "")))`);
  const before = await drawn();
  await page.emulateMedia({ colorScheme: "dark" });
  let after = await drawn();
  while (after === "" || after === before) after = await drawn(); // The suite's time limit ends it.
  assert.ok(before.length > 1_000 && after.length > 1_000);
});

test("all pages can be read without scripts", async () => {
  if (browser === null) return notRun("all pages can be read without scripts", MISSING);
  const one = await visit(browser, base, { javaScriptEnabled: false });
  visits.push(one);
  const alert = await openAlert(0);
  for (const [path, text] of [
    ["/", "CENTRAL"],
    ["/grid?open=region/NORTH", "SUB-N-012"],
    ["/a/TRF-N-0034?asOf=2025-05-01", "in force"],
    ["/a/SM-N-00044", "66"],
    ["/alerts", "transformer.overheating"],
    [`/alerts/${alert}`, "Why"],
    ["/pipeline", "meters"],
    ["/quarantine", "Quarantine"],
    ["/about", "gridactor.yaml:"],
  ] as const) {
    await one.page.goto(`${base}${path}`);
    await one.page.locator("main", { hasText: text }).waitFor();
    assert.is(await one.page.locator(".scripted:visible").count(), 0, path);
  }
  assert.equal(one.faults, []);
});

test("a page whose engine is gone says that what it shows is stale", async () => {
  if (browser === null) return notRun("a page whose engine is gone says that what it shows is stale", MISSING);
  const one = await visit(browser, base);
  visits.push(one);
  await one.page.goto(base);
  await untilCount(one.page, ".tile", 5);
  await one.page.getByText("live", { exact: true }).waitFor();
  daemon.kill("SIGKILL");
  await one.page.getByText(/^stale since/).waitFor();
  await one.accessible("stale");
  one.forgive(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|Failed to load resource/);
  assert.equal(one.faults, []);
});

/** A test in a page of its own, with nothing wrong at its end. */
function browsed(title: string, colorScheme: (typeof SCHEMES)[number], body: (visit: Visit) => Promise<void>): void {
  test(title, async () => {
    if (browser === null) return notRun(title, MISSING);
    const one = await visit(browser, base, { colorScheme });
    visits.push(one);
    await body(one);
    one.forgive(/503/); // A busy machine may say "not now"; the page asks again.
    assert.equal(one.faults, []);
    await one.close();
  });
}

/** By default with the token that allows everything. */
async function logIn(page: Page, token?: string): Promise<void> {
  await page.getByLabel("Token").fill(token ?? (await readFile(join(folder.state, "admin.token"), "utf8")).trim());
  await page.getByRole("button", { name: "Log in" }).click();
}

/** The id of the quarantined record that holds a text. Asked again until it is there: a file is found when its folder is looked at. */
async function quarantined(text: string): Promise<string> {
  for (let tries = 0; tries < ASKED_MAX; tries += 1) {
    const rows = (await (await fetch(`${base}/v1/quarantine`)).json()) as readonly { readonly id: string }[];
    for (const { id } of Array.isArray(rows) ? rows : []) {
      const detail = (await (await fetch(`${base}/v1/quarantine/${id}`)).json()) as { readonly text?: string };
      if (detail.text?.includes(text)) return id;
    }
  }
  throw new Error(`no quarantined record holds ${text}`);
}

async function untilCount(page: Page, selector: string, count: number): Promise<void> {
  await page
    .locator(selector)
    .nth(count - 1)
    .waitFor();
  assert.is(await page.locator(selector).count(), count);
}

/** The id of an alert that is open, the newest first. */
async function openAlert(at: number): Promise<string> {
  const response = await fetch(`${base}/v1/alerts?status=open&rule=transformer.overheating`);
  const alerts = (await response.json()) as readonly { readonly data: { readonly alertId: string } }[];
  return alerts.at(-1 - at)?.data.alertId ?? "";
}
