import * as assert from "uvu/assert";
import {
  AlertFollower,
  type AlertQuery,
  alertEvents,
  alertFilter,
  alertsText,
  type Gap,
  gapAt,
  type LoggedAlert,
  newestAlerts,
} from "../../admin/alerts.ts";
import { bell } from "../../engine/bell.ts";
import { settableClock } from "../../engine/clock.ts";
import { retention } from "../../engine/retention.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";
import { TINY_RULES, type TinyEngine, tinyEngine } from "../kit/tiny_grid.ts";

const test = suite("alerts");

const read = (n: number, meter: string, timestamp: string, kwh: number) => ({
  event_id: `e${n}`,
  meter_id: meter,
  timestamp,
  reading_kwh: kwh,
});

/** A spike that has cleared, then a critical spike and a near zero that are open. */
async function engineWithAlerts(): Promise<TinyEngine> {
  const engine = tinyEngine();
  await engine.take("smart_meter", [
    read(1, "SM-N-00001", "2025-06-15T10:00:00Z", 60),
    read(2, "SM-N-00002", "2025-06-15T16:00:00Z", 110),
    read(3, "SM-N-00003", "2025-06-15T16:05:00Z", 0.02),
  ]);
  return engine;
}

const told = ({ event }: LoggedAlert): string => `${event.type.split(".")[2]} ${event.data.rule} ${event.subject}`;

async function found(engine: TinyEngine, query: AlertQuery): Promise<readonly string[]> {
  const { alerts } = await newestAlerts(engine, alertFilter(engine, query, TINY_RULES), 100);
  return alerts.map(told);
}

async function collect(events: AsyncIterable<LoggedAlert>): Promise<readonly LoggedAlert[]> {
  const all: LoggedAlert[] = [];
  for await (const event of events) all.push(event);
  return all;
}

test("the list has the newest event of each alert, in order of the log", async () => {
  assert.equal(await found(await engineWithAlerts(), {}), [
    "cleared meter.spike meter/SM-N-00001",
    "raised meter.spike meter/SM-N-00002",
    "raised meter.near_zero meter/SM-N-00003",
  ]);
});

test("an alert stands in the list where its newest event does", async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", [
    read(1, "SM-N-00001", "2025-06-15T16:00:00Z", 60),
    read(2, "SM-N-00002", "2025-06-15T16:30:00Z", 60),
    read(3, "SM-N-00003", "2025-06-15T17:15:00Z", 1),
  ]);
  assert.equal(await found(engine, {}), ["raised meter.spike meter/SM-N-00002", "cleared meter.spike meter/SM-N-00001"]);
});

test("each filter lets through what it says, and all together what all say", async () => {
  const engine = await engineWithAlerts();
  const cleared = "cleared meter.spike meter/SM-N-00001";
  const critical = "raised meter.spike meter/SM-N-00002";
  const info = "raised meter.near_zero meter/SM-N-00003";
  const cases: readonly (readonly [AlertQuery, readonly string[]])[] = [
    [{ severity: "major" }, [cleared]],
    [{ severity: "MAJOR+" }, [cleared, critical]],
    [{ severity: "info" }, [info]],
    [{ status: "open" }, [critical, info]],
    [{ status: "cleared" }, [cleared]],
    [{ rule: "meter.spike" }, [cleared, critical]],
    [{ rule: "*.near_*" }, [info]],
    [{ rule: "meter.*" }, [cleared, critical, info]],
    [{ under: "sm-n-00003" }, [info]],
    [{ kind: "meter" }, [cleared, critical, info]],
    [{ kind: "bill" }, []],
    [{ origin: "live" }, [cleared, critical, info]],
    [{ origin: "backfill" }, []],
    [{ since: "2025-06-15T16:05:00Z" }, [info]],
    [{ since: "10m" }, [critical, info]],
    [{ severity: "major+", status: "open", rule: "meter.*" }, [critical]],
  ];
  for (const [query, expected] of cases) assert.equal(await found(engine, query), expected, JSON.stringify(query));
});

test("under an actor are its own alerts and those whose path goes through it", async () => {
  const engine = await engineWithAlerts();
  await engine.take("customer_master", [
    { customer_id: "CUST-000001", meter_id: "SM-N-00009", transformer_id: "TRF-N-0034", record_effective_date: "2024-01-01" },
  ]);
  await engine.take("transformer_master", [{ transformer_id: "TRF-N-0034", record_effective_date: "2024-01-01" }]);
  await engine.take("smart_meter", [read(4, "SM-N-00009", "2025-06-15T16:06:00Z", 70)]);
  assert.equal(await found(engine, { under: "TRF-N-0034" }), ["raised meter.spike meter/SM-N-00009"]);
});

test("the limit keeps the latest, and the number of all is told", async () => {
  const engine = await engineWithAlerts();
  const { alerts, found: all } = await newestAlerts(engine, () => true, 2);
  assert.equal([alerts.map(({ event }) => event.subject), all], [["meter/SM-N-00002", "meter/SM-N-00003"], 3]);
});

test("a value that means nothing ends with code 2, a rule or actor that does not exist with code 4", async () => {
  const engine = await engineWithAlerts();
  const fails = (query: AlertQuery) => failure(() => alertFilter(engine, query, TINY_RULES));
  for (const query of [{ severity: "mayor" }, { status: "closed" }, { kind: "metre" }, { origin: "dead" }, { since: "yesterday" }]) {
    assert.is(fails(query).exit, 2, JSON.stringify(query));
  }
  assert.equal([fails({ rule: "meter.spik" }).exit, fails({ rule: "meter.spik" }).candidates], [4, ["meter.spike"]]);
  assert.equal([fails({ under: "SM-N-00004" }).exit, fails({ kind: "metre" }).candidates], [4, ["meter"]]);
});

test("from a sequence number on every event is given, that one included", async () => {
  const engine = await engineWithAlerts();
  const all = await collect(alertEvents(engine, () => true, 1));
  assert.equal(all.map(told), [
    "raised meter.spike meter/SM-N-00001",
    "cleared meter.spike meter/SM-N-00001",
    "raised meter.spike meter/SM-N-00002",
    "raised meter.near_zero meter/SM-N-00003",
  ]);
  const third = all[2]?.sequence ?? 0;
  assert.equal(await collect(alertEvents(engine, () => true, third)), all.slice(2));
  assert.equal(await collect(alertEvents(engine, () => true, third + 1)), all.slice(3));
  assert.equal(await collect(alertEvents(engine, alertFilter(engine, { rule: "meter.near_zero" }, TINY_RULES), 1)), all.slice(3));
});

test("following begins with what is open and goes on with what comes, once each", async () => {
  const engine = await engineWithAlerts();
  const { follower, next, grow, stop } = following(engine, null);
  assert.equal(
    [told(await next()), told(await next())],
    ["raised meter.spike meter/SM-N-00002", "raised meter.near_zero meter/SM-N-00003"],
  );
  await grow([read(5, "SM-N-00001", "2025-06-15T16:10:00Z", 80)]);
  assert.is(told(await next()), "raised meter.spike meter/SM-N-00001");
  await grow([read(6, "SM-N-00002", "2025-06-15T18:00:00Z", 1)]);
  assert.is(told(await next()), "cleared meter.spike meter/SM-N-00002");
  const resumed = await collect(alertEvents(engine, () => true, follower.resumeFrom ?? 0));
  const rest = await Promise.all([next(), next()]);
  assert.equal(rest.map(told), ["cleared meter.near_zero meter/SM-N-00003", "cleared meter.spike meter/SM-N-00001"]);
  assert.equal(resumed, rest, "who resumes where the follower stood sees what it had yet to see");
  assert.is(await stop(), true);
});

test("what is written while the follower looks is not slept over", async () => {
  const engine = await engineWithAlerts();
  const { next, write, stop } = following(engine, null);
  await next();
  await write([read(5, "SM-N-00001", "2025-06-15T16:10:00Z", 80)]); // No ring comes after this.
  await next();
  assert.is(told(await next()), "raised meter.spike meter/SM-N-00001");
  assert.is(await stop(), true);
});

test("following from a sequence number leaves the open ones out, and moves on over what does not fit", async () => {
  const engine = await engineWithAlerts();
  const from = engine.store.nextSequence;
  const { follower, next, grow, stop } = following(engine, from, { rule: "meter.near_zero" });
  const pending = next();
  await grow([read(5, "SM-N-00001", "2025-06-15T16:10:00Z", 80), read(6, "SM-N-00004", "2025-06-15T16:11:00Z", 0.03)]);
  assert.is(told(await pending), "raised meter.near_zero meter/SM-N-00004");
  assert.ok((follower.resumeFrom ?? 0) > from);
  assert.is(await stop(), true);
});

test("what is open stays in the lists when the log of it is cut, and a reader of what is cut is told of the gap", async () => {
  const engine = await engineWithAlerts();
  const { store, decode } = engine;
  const before = await found(engine, { status: "open" });
  const keeper = retention({
    store,
    decode,
    drains: [],
    freeDiskBytes: async () => 1,
    clock: settableClock(),
    onPressure: () => {},
    keepMs: Number.POSITIVE_INFINITY,
    sizeBytesMax: 1,
    freeDiskBytesMin: 0,
  });
  await keeper.look();
  assert.equal(await store.readLog("alerts", 1, 1), []);
  assert.equal(await found(engine, { status: "open" }), before);
  assert.is(before.length, 2);
  const firstAvailable = store.logStart("alerts");
  assert.ok(firstAvailable > 4);
  assert.equal(gapAt(engine, 1), { requested: 1, firstAvailable });
  assert.is(gapAt(engine, firstAvailable), null);
  assert.equal(gapAt(engine, store.nextSequence + 1), { requested: store.nextSequence + 1, firstAvailable });
  const gaps: Gap[] = [];
  const { next, grow, stop } = following(engine, 2, {}, (gap) => gaps.push(gap));
  await grow([read(5, "SM-N-00001", "2025-06-15T16:10:00Z", 80)]);
  assert.is(told(await next()), "raised meter.spike meter/SM-N-00001");
  assert.equal(gaps, [{ requested: 2, firstAvailable }]);
  assert.is(await stop(), true);
  const fromOpen = following(engine, null, {}, (gap) => gaps.push(gap));
  for (let n = 0; n < 3; n += 1) await fromOpen.next();
  assert.is(await fromOpen.stop(), true);
  assert.is(gaps.length, 1);
});

test("lines for people are those of the terminal sink, with their date", async () => {
  const { alerts } = await newestAlerts(await engineWithAlerts(), ({ subject }) => subject === "meter/SM-N-00002", 100);
  const [alert] = alerts;
  assert.is(
    alertsText(alerts, false),
    `#${alert?.sequence}  2025-06-15 16:00:00Z  CRITICAL  raised  meter.spike              SM-N-00002  110 kWh, limit 50         ${alert?.event.data.alertId}\n`,
  );
});

/** A follower at work. `write` adds to the log in silence, `grow` rings too; `stop` tells whether it has ended. */
function following(engine: TinyEngine, from: number | null, query: AlertQuery = {}, onGap: (gap: Gap) => void = () => {}) {
  const more = bell();
  const end = new AbortController();
  end.signal.addEventListener("abort", () => more.ring());
  const follower = new AlertFollower(engine, {
    filter: alertFilter(engine, query, TINY_RULES),
    from,
    waitForMore: () => more.heard(),
    onGap,
  });
  const events = follower.events(end.signal);
  const write = (records: readonly object[]) => engine.take("smart_meter", records);
  return {
    follower,
    write,
    next: async (): Promise<LoggedAlert> => {
      const { value, done } = await events.next();
      if (done === true) throw new Error("the follower has ended");
      return value;
    },
    grow: async (records: readonly object[]): Promise<void> => {
      await write(records);
      more.ring();
    },
    stop: async (): Promise<boolean> => {
      const last = events.next();
      end.abort();
      return (await last).done === true;
    },
  };
}
