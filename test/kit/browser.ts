import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import * as assert from "uvu/assert";

/** Where a Chromium may be. `CHROMIUM` names another. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** A loaded machine takes its time. */
const WAIT_MS = 90_000;
/** What WCAG 2.2 asks for at level AA. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** A browser of this machine, or null. */
export async function launched(): Promise<Browser | null> {
  const executablePath = [process.env["CHROMIUM"] ?? "", ...PLACES].find((path) => path !== "" && existsSync(path));
  return executablePath === undefined ? null : chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}

export interface VisitOptions {
  readonly colorScheme?: "light" | "dark";
  readonly javaScriptEnabled?: boolean;
}

/** A page in a context of its own, and all that went wrong in it. */
export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of scripts and of the console, reports of the content policy, and requests to other hosts. */
  readonly faults: readonly string[];
  /** Forgets faults that a test has made on purpose. */
  forgive(fits: RegExp): void;
  /** Checks the page as it is for accessibility. */
  accessible(where: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens a page that may talk to `base` only. */
export async function visit(browser: Browser, base: string, options: VisitOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  let faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== base) faults.push(`request to ${request.url()}`);
  });
  await context.addInitScript(
    'addEventListener("securitypolicyviolation", (e) => console.error("CSP", e.violatedDirective, e.blockedURI));',
  );
  return {
    page,
    context,
    get faults() {
      return faults;
    },
    forgive(fits) {
      faults = faults.filter((fault) => !fits.test(fault));
    },
    async accessible(where) {
      await page.evaluate(AXE);
      const { violations } = (await page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(TAGS)} })`)) as AxeResults;
      const found = violations.flatMap(({ id, nodes }) =>
        nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ""}`),
      );
      assert.equal(found, [], where);
    },
    close: () => context.close(),
  };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
