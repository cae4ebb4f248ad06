import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { writeReadings } from "../../bench/readings.ts";
import { alertLines, type GridFolder, gridactor, type Running } from "./grid_folder.ts";

export interface SubscriberTrialOptions {
  /** An empty folder. */
  readonly path: string;
  readonly readers: number;
  /** Subscribers that never read. */
  readonly idlers: number;
  /** Readings whose taking is measured; one in 4,000 raises an alert. */
  readonly readings: number;
  /** Times that one more subscriber goes away and comes back. */
  readonly reconnects: number;
}

/** What taking the same readings cost. */
interface Cost {
  readonly seconds: number;
  /** Of the engine's process, all threads. */
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

export interface SubscriberTrial {
  readonly alone: Cost;
  readonly subscribed: Cost;
  /** Events in the log. */
  readonly events: number;
  /** Readers that did not get every event once and in order. */
  readonly incomplete: number;
  /** The same of the one that went away and came back. */
  readonly returnedWhole: boolean;
  /** Subscribers that were still there at the end. */
  readonly subscribersLeft: number;
}

const EARLIER = { readings: 4_000, every: 5 };
const EVERY = 4_000;
const METERS = 1_000;

/** Has an engine take the same readings without and with subscribers, half of whom may never read. */
export async function subscriberTrial(options: SubscriberTrialOptions): Promise<SubscriberTrial> {
  const { path, readers: readerCount, idlers, readings, reconnects } = options;
  const total = EARLIER.readings + readings;
  writeFiles(path, readings);
  const alone = await engineIn(path, "alone");
  await alone.take("earlier", EARLIER.readings);
  const costAlone = await alone.measured(() => alone.take("readings", total));
  await alone.stop();

  const engine = await engineIn(path, "subscribed");
  await engine.take("earlier", EARLIER.readings);
  const readers = await Promise.all(Array.from({ length: readerCount }, () => openReader(engine.socket)));
  await Promise.all(Array.from({ length: idlers }, () => open(engine.socket, "from=1")));
  const coming = comingAndGoing(engine.socket, reconnects);
  const cost = await engine.measured(() => engine.take("readings", total));
  const expected = await engine.sequences();
  await Promise.all(readers.map((reader) => reader.until(expected.at(-1) ?? 0)));
  const returned = await coming.until(expected.at(-1) ?? 0);
  const isWhole = (seen: readonly number[]): boolean => seen.join() === expected.join();
  const subscribersLeft = await engine.subscribersAtMost(readerCount);
  for (const reader of readers) reader.end();
  await engine.stop();
  return {
    alone: costAlone,
    subscribed: cost,
    events: expected.length,
    incomplete: readers.filter((reader) => !isWhole(reader.seen)).length,
    returnedWhole: isWhole(returned),
    subscribersLeft,
  };
}

// Subscribers ---------------------------------------------------------------------------------------------------------------------------

interface Reader {
  /** The numbers of the events, as they came. */
  readonly seen: number[];
  /** Resolves when the event of this number has come. */
  until(sequence: number): Promise<void>;
  end(): void;
}

/** One that is cut, because this process had no time for it either, comes back with the number of the last event. */
async function openReader(socket: string, after = 0): Promise<Reader> {
  const seen: number[] = [];
  let look = (): void => {};
  let isEnded = false;
  let response = await open(socket, `after=${after}`);
  const listen = (): void => {
    let rest = "";
    response.setEncoding("latin1").on("data", (text: string) => {
      const frames = (rest + text).split("\n\n");
      rest = frames.pop() ?? "";
      for (const frame of frames) if (frame.includes("\nevent: alert\n")) seen.push(Number(/^id: (\d+)/.exec(frame)?.[1]));
      look();
    });
    response.on("error", () => {}); // What matters of it is that it closes.
    response.once("close", () => {
      if (isEnded) return;
      void open(socket, `after=${seen.at(-1) ?? after}`).then((next) => {
        response = next;
        if (isEnded) next.destroy();
        else listen();
      });
    });
  };
  listen();
  return {
    seen,
    until: (sequence) =>
      new Promise((resolve) => {
        look = () => {
          if ((seen.at(-1) ?? 0) >= sequence) resolve();
        };
        look();
      }),
    end: () => {
      isEnded = true;
      response.destroy();
    },
  };
}

/** A subscriber that goes away after some events and comes back with the number of the last one. */
function comingAndGoing(socket: string, reconnects: number): { until(sequence: number): Promise<readonly number[]> } {
  const seen: number[] = [];
  const gone = (async () => {
    for (let n = 0; n < reconnects; n += 1) {
      const reader = await openReader(socket, seen.at(-1) ?? 0);
      await reader.until((seen.at(-1) ?? 0) + 1);
      reader.end();
      seen.push(...reader.seen.slice(0, 1 + (n % 7))); // What came behind is forgotten, as by one that has died.
    }
  })();
  return {
    async until(sequence) {
      await gone;
      const last = await openReader(socket, seen.at(-1) ?? 0);
      await last.until(sequence);
      last.end();
      return [...seen, ...last.seen];
    },
  };
}

/** Whom the server has no time for is tried again; an engine that has ended is not there. */
async function open(socket: string, query: string): Promise<IncomingMessage> {
  for (;;) {
    const answer = await new Promise<IncomingMessage | NodeJS.ErrnoException>((resolve) => {
      const asking = request({ socketPath: socket, path: `/v1/alerts/stream?${query}`, agent: false }, resolve);
      asking.on("error", resolve).end();
    });
    if (!(answer instanceof Error)) return answer;
    if (answer.code !== "ECONNRESET" && answer.code !== "EAGAIN") throw answer;
  }
}

// The engine ----------------------------------------------------------------------------------------------------------------------------

async function engineIn(path: string, name: string) {
  const folder = folderIn(path, name);
  const engine: Running = gridactor(["run"], folder);
  await engine.until(({ stderr }) => stderr.includes("engine.ready"));
  const socket = join(folder.state, "admin.sock");
  const metric = async (pattern: RegExp): Promise<number> => Number(pattern.exec(await text(socket, "/metrics"))?.[1] ?? 0);
  return {
    socket,
    /** Gives it a file, and resolves when so many readings are stored. */
    async take(file: string, accepted: number): Promise<void> {
      renameSync(join(path, `${name}-${file}.json`), join(folder.path, "in", `${file}.json`));
      while ((await metric(/^gridactor_records_accepted_total\{.*\} (\d+)$/m)) < accepted);
    },
    async measured(work: () => Promise<void>): Promise<Cost> {
      const beganAtMs = performance.now();
      const cpuBefore = cpuSecondsOf(engine.pid);
      await work();
      const cpuSeconds = cpuSecondsOf(engine.pid) - cpuBefore;
      return { seconds: (performance.now() - beganAtMs) / 1_000, cpuSeconds, peakMiB: peakMiBOf(engine.pid) };
    },
    async sequences(): Promise<readonly number[]> {
      const all: number[] = [];
      for (;;) {
        const list = await text(socket, `/v1/alerts?after=${all.at(-1) ?? 0}&limit=10000`);
        if (list === "") return all;
        for (const line of list.trimEnd().split("\n")) all.push(Number((JSON.parse(line) as { sequence: string }).sequence));
      }
    },
    /** Resolves with the number of subscribers once there are no more than that. */
    async subscribersAtMost(count: number): Promise<number> {
      for (;;) {
        const left = await metric(/^gridactor_subscribers (\d+)$/m);
        if (left <= count) return left;
      }
    },
    async stop(): Promise<void> {
      engine.kill("SIGINT");
      const { code, stderr } = await engine.ended;
      if (code !== 0) throw new Error(`the engine ended with ${code}: ${stderr}`);
      if ((await alertLines(folder)).length === 0) throw new Error("there were no alerts");
    },
  };
}

function text(socket: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath: socket, path, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        body += piece;
      });
      response.on("end", () => resolve(body)).on("error", reject);
    })
      .once("error", reject)
      .end();
  });
}

const TICKS_PER_SECOND = 100; // Linux, whatever the kernel's own clock.

function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function peakMiBOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}

/** The readings for both engines. Of every so many one is a spike, all others are as usual. */
function writeFiles(path: string, readings: number): void {
  const file = join(path, "all.json");
  writeReadings(file, METERS, EARLIER.readings + readings);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const tame = lines.map((line, n) => {
    const every = n < EARLIER.readings ? EARLIER.every : EVERY;
    return JSON.stringify({
      ...(JSON.parse(line) as object),
      meter_status: "ACTIVE",
      is_anomaly_flag: false,
      reading_kwh: n % every === 0 ? 95 : 1 + (n % 7) / 10,
    });
  });
  for (const name of ["alone", "subscribed"]) {
    writeFileSync(join(path, `${name}-earlier.json`), `${tame.slice(0, EARLIER.readings).join("\n")}\n`);
    writeFileSync(join(path, `${name}-readings.json`), `${tame.slice(EARLIER.readings).join("\n")}\n`);
  }
}

function folderIn(path: string, name: string): GridFolder {
  const folder = join(path, name);
  mkdirSync(join(folder, "in"), { recursive: true });
  mkdirSync(join(folder, "out"));
  const source = `{ feed: smart_meter, type: landing, location: in, include: ["*.json"], format: jsonl, settle: 0s, poll: 100ms }`;
  const yaml = [
    "version: 1",
    "admin: { http: false }",
    `sources: { meters: ${source} }`,
    "sinks: { alerts: { type: jsonl, stream: alerts, path: out/alerts.jsonl } }",
  ];
  const config = join(folder, "gridactor.yaml");
  writeFileSync(config, yaml.join("\n"));
  return { path: folder, config, state: join(folder, "state"), alerts: join(folder, "out/alerts.jsonl"), curated: join(folder, "out") };
}
