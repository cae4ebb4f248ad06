import { fork } from "node:child_process";
import { setMaxListeners } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get, type IncomingMessage } from "node:http";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { GRID } from "../actors/registry.ts";
import { RULES } from "../actors/rules.ts";
import { loadConfig } from "../admin/config.ts";
import { type DaemonAdmin, openDaemonAdmin } from "../admin/daemon_admin.ts";
import { CommandError } from "../admin/errors.ts";
import { openLog } from "../admin/log.ts";
import { socketAsker } from "../admin/socket_asker.ts";
import { openLmdbStore } from "../engine/lmdb_store.ts";
import { benchEngine } from "./bench_engine.ts";
import { generated } from "./live.ts";

// `npm run bench -- repl [SECONDS [METERS]]`: what it is like to be asked while readings come as fast as they are taken. The engine, with its API, is a
// process of its own; this one is the REPL, and twenty pages of the console. Each phase lasts SECONDS (10).

const PAGES = 20;
const METERS = 1_000;
/** How often an open page asks for its parts anew. */
const REFRESH_MS = 10_000;

/** What a person at the shell asks, over and over. */
const QUESTIONS: readonly (readonly [verb: string, query: Readonly<Record<string, string>>])[] = [
  ["inspect", { id: "SM-N-00042" }],
  ["history", { id: "CUST-000123" }],
  ["count", {}],
  ["lag", {}],
  ["progress", {}],
  ["gaps", {}],
];
/** What has to look at more than one thing, and is answered by a process beside the engine. */
const WIDE: readonly (readonly [verb: string, query: Readonly<Record<string, string>>])[] = [
  ["ls", { kind: "meter", limit: "20" }],
  ["alerts", { limit: "20" }],
  ["regions", {}],
];

interface Served {
  readonly socket: string;
  readonly url: string;
}

// The engine ----------------------------------------------------------------------------------------------------------------------------

async function serve(dir: string, meters: number): Promise<void> {
  const file = join(dir, "gridactor.yaml");
  writeFileSync(file, "version: 1\nname: bench\nstate: ./state\nadmin: { http: { host: 127.0.0.1, port: 0, reads: open } }\nsources: {}\n");
  const catalogue = { feeds: GRID.feeds, rules: RULES, kinds: GRID.behaviours.map(({ kind }) => kind), regions: [] };
  const { config } = loadConfig({ path: file, flags: {}, env: {}, cwd: dir, packageRoot: dir, catalogue });
  const { limits, stateDir } = config;
  const store = await openLmdbStore({ dir: stateDir, limits });
  const log = openLog({ level: "error", screen: null });
  let readings = 0;
  let admin: DaemonAdmin | null = null;
  const engine = benchEngine({
    store,
    limits,
    source: generated(meters, Number.POSITIVE_INFINITY),
    onBatch: (batch) => {
      readings += batch.records;
      admin?.batch(batch);
    },
  });
  const stop = new AbortController();
  const running = engine.run(stop.signal, 0);
  const shown = { version: "0", shownConfig: {}, asyncApi: "", origins: {} };
  const opened = await openDaemonAdmin({ config, engine, store, stops: () => [], log, ...shown });
  admin = opened;
  process.send?.({ socket: opened.socket, url: opened.url ?? "" } satisfies Served);
  process.on("disconnect", () => process.exit()); // Whoever measures is gone: nobody else ends this.
  process.on("message", (said) => {
    if (said === "readings") process.send?.(readings);
    else stop.abort();
  });
  await running;
  await opened.close();
  await engine.close();
  log.close();
  process.exit();
}

// Those who ask -------------------------------------------------------------------------------------------------------------------------

async function measure(seconds: number, meters: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "gridactor-bench-"));
  const child = fork(fileURLToPath(import.meta.url), ["serve", dir, String(meters)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const said = <T>(): Promise<T> => new Promise((resolve) => child.once("message", (value) => resolve(value as T)));
  const readings = (): Promise<number> => {
    const answer = said<number>();
    child.send("readings");
    return answer;
  };
  /** Readings a second while `body` goes on. */
  const paced = async (body: () => Promise<unknown>): Promise<number> => {
    const [before, beganMs] = [await readings(), performance.now()];
    await body();
    return Math.round((1_000 * ((await readings()) - before)) / (performance.now() - beganMs));
  };
  try {
    const { socket, url } = await said<Served>();
    await sleep(1_000 * seconds); // All meters are known, and the code is warm.
    const alone: number[] = [];
    const opened: number[] = [];
    // In turn, and twice: what else the machine does meanwhile falls on both.
    for (let round = 0; round < 2; round += 1) {
      alone.push(await paced(() => sleep(1_000 * seconds)));
      const pages = await openPages(url);
      opened.push(await paced(() => sleep(1_000 * seconds)));
      pages.close();
    }
    const quick: number[] = [];
    const asked = await paced(async () => void quick.push(...(await askedFor(socket, QUESTIONS, seconds))));
    const wide = WIDE.map(([verb]) => ({ verb, took: [] as readonly number[] }));
    for (const [n, one] of WIDE.entries()) wide[n] = { verb: one[0], took: await askedFor(socket, [one], seconds / WIDE.length) };
    const mean = (values: readonly number[]): number => Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
    const slower = 1 - mean(opened) / mean(alone);
    const result = {
      cores: cpus().length,
      load: Number((loadavg()[0] ?? 0).toFixed(1)),
      readingsPerSecond: { alone: mean(alone), pagesOpen: mean(opened), asked },
      slowerWithPagesPercent: Number((100 * slower).toFixed(1)),
      answersMs: { ...quantiles(quick), questions: QUESTIONS.map(([verb]) => verb).join(" ") },
      wideAnswersMs: Object.fromEntries(wide.map(({ verb, took }) => [verb, quantiles(took)])), // One that is refused took 2,000.
    };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  } finally {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.connected) child.send("stop");
    await ended;
    rmSync(dir, { recursive: true });
  }
}

/** Asks one question after the other for so long, as a shell does; answers with how long each took, in ms. */
async function askedFor(socket: string, questions: typeof QUESTIONS, seconds: number): Promise<readonly number[]> {
  const asker = socketAsker(socket);
  const signal = new AbortController().signal;
  const took: number[] = [];
  const untilMs = performance.now() + 1_000 * seconds;
  for (let n = 0; performance.now() < untilMs; n += 1) {
    const [verb, query] = questions[n % questions.length] ?? ["count", {}];
    const beganMs = performance.now();
    await asker.ask(verb, query, signal).catch((error: unknown) => {
      if (!(error instanceof CommandError) || !["NOT_FOUND", "RETRY"].includes(error.code)) throw error; // These are answers, too.
    });
    took.push(performance.now() - beganMs);
    await sleep(20);
  }
  return took.sort((a, b) => a - b);
}

/** Twenty overviews: each has its stream of alerts, and asks for its parts anew now and then. */
async function openPages(url: string): Promise<{ close(): void }> {
  const agent = new Agent({ maxSockets: 4 * PAGES });
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const asked = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      get(`${url}${path}`, { agent, headers, signal: stop.signal }, resolve).on("error", reject); // Also one that comes after the answer has begun: the page is closed.
    });
  const refresh = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const response = await asked("/", { "X-Gridactor-Parts": "regions lag" });
      response.on("error", () => {}); // As above.
      response.resume();
      await sleep(REFRESH_MS, null, { signal: stop.signal });
    }
  };
  for (let n = 0; n < PAGES; n += 1) {
    const stream = await asked("/v1/alerts/stream", { Accept: "text/event-stream" });
    stream.on("error", () => {}); // It ends with the page.
    stream.resume();
    void sleep((n * REFRESH_MS) / PAGES)
      .then(refresh)
      .catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
  }
  return {
    close() {
      stop.abort();
      agent.destroy();
    },
  };
}

function quantiles(sorted: readonly number[]): {
  readonly asked: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
} {
  const at = (share: number): number => Number((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1));
  return { asked: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

const [mode, first = "", second = ""] = process.argv.slice(2);
if (mode === "serve") await serve(first, Number(second));
else await measure(Number(first) || 10, Number(second) || METERS);
