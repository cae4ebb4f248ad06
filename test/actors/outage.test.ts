// timeout: 240 s
import * as assert from "uvu/assert";
import type { AlertEvent } from "../../engine/emission.ts";
import { ActorId } from "../../engine/ids.ts";
import { type Arrival, CRASH, type Script, type Seen } from "../kit/given.ts";
import { customer, given, grid, reading, telemetry, transformer } from "../kit/grid.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const test = suite("outages");

const HOUR = 60;
const DAY = 24 * HOUR;
const STEP = HOUR;
const SUB = ActorId("substation", "SUB-N-012");

/** A substation of three transformers with three meters each, and another with as many that keeps the clock going. */
const TRANSFORMERS = ["TRF-N-0001", "TRF-N-0002", "TRF-N-0003", "TRF-N-0004", "TRF-N-0005", "TRF-N-0006"] as const;
const OUT = TRANSFORMERS.slice(0, 3);
const substationOf = (id: string) => (OUT.includes(id as (typeof OUT)[number]) ? "SUB-N-012" : "SUB-N-013");
const metersOf = (id: string) => [1, 2, 3].map((n) => `SM-N-${id.slice(-3)}0${n}`);

const masters = (ids: readonly string[] = TRANSFORMERS): Script => [
  ...ids.map((id) => transformer("2024-01-01", { transformer_id: id, substation_id: substationOf(id) })),
  ...ids.flatMap((id) =>
    metersOf(id).map((meter) =>
      customer("2024-01-01", { customer_id: `CUST-${meter.slice(-5).padStart(6, "0")}`, meter_id: meter, transformer_id: id }),
    ),
  ),
];

/** A reading of each meter each hour, but for those that `isOut`. */
function readings(
  fromMinute: number,
  toMinute: number,
  isOut: (transformer: string, meter: string, minute: number) => boolean,
  ids: readonly string[] = TRANSFORMERS,
): Arrival[] {
  const all: Arrival[] = [];
  for (let minute = fromMinute; minute < toMinute; minute += STEP) {
    for (const id of ids) {
      for (const [n, meter] of metersOf(id).entries()) {
        if (!isOut(id, meter, minute)) all.push(reading(minute, 0.4 + (minute % 7) / 50 + n / 100, { meter_id: meter, region: "NORTH" }));
      }
    }
  }
  return all;
}

const isOutage = (from: number, to: number) => (id: string, _meter: string, minute: number) =>
  substationOf(id) === "SUB-N-012" && minute >= from && minute < to;

/** The newest event of each alert. */
function newest({ events }: Seen): readonly AlertEvent[] {
  return [...new Map(events.map((event) => [event.data.alertId, event])).values()];
}

const silences = (seen: Seen) => newest(seen).filter(({ data }) => data.rule.endsWith("silent"));

test("an outage of a whole substation is one alert, with those of its transformers and meters covered, and clears by itself", async () => {
  const scene = given(...masters(), ...readings(0, 3 * DAY, () => false));
  const out = await scene.when(...readings(3 * DAY, 6 * DAY, isOutage(3 * DAY, 6 * DAY)));
  const open = silences(out).filter(({ data }) => data.status === "open");
  assert.equal(
    open.map(({ data, subject }) => [data.rule, subject, data.severity]),
    [["substation.children_silent", SUB, "major"]],
  );
  const alertOf = (subject: string) => silences(out).find((event) => event.subject === subject)?.data;
  for (const id of OUT) {
    const own = alertOf(`transformer/${id}`);
    assert.equal([own?.rule, own?.status, own?.suppressedBy], ["transformer.children_silent", "suppressed", open[0]?.data.alertId], id);
    for (const meter of metersOf(id))
      assert.equal([alertOf(`meter/${meter}`)?.status, alertOf(`meter/${meter}`)?.suppressedBy], ["suppressed", own?.alertId], meter);
  }
  assert.is(silences(out).length, 1 + 3 + 9);
  const raised = out.events.filter(({ type, data }) => type.includes("raised") && data.rule.endsWith("silent"));
  assert.equal(raised.filter(({ data }) => data.suppressedBy === null).length, 1, "nobody is called twice");
  assert.equal(
    out.events.filter(({ data }) => data.rule === "grid.flood"),
    [],
    "what is covered calls nobody, and is no flood",
  );
  const back = await given(...masters(), ...readings(0, 6 * DAY, isOutage(3 * DAY, 6 * DAY))).when(
    ...readings(6 * DAY, 6 * DAY + 2 * HOUR, () => false),
  );
  assert.equal(new Set(silences(back).map(({ data }) => data.status)), new Set(["cleared"]));
  assert.is(silences(back).length, 1 + 3 + 9);
  for (const id of [SUB, ActorId("transformer", OUT[0] ?? ""), ActorId("meter", metersOf(OUT[0] ?? "")[0] ?? "")])
    assert.is(back.actor(id).count("openEpisodes"), 0, id);
});

test("when all substations of a region are out, the region says so, and everything below it is covered", async () => {
  const far = "TRF-S-0009";
  const keeper = [
    transformer("2024-01-01", { transformer_id: far, substation_id: "SUB-S-009", region: "SOUTH" }),
    customer("2024-01-01", { customer_id: "CUST-009999", meter_id: "SM-S-00999", transformer_id: far, region: "SOUTH" }),
  ];
  const beats = (fromMinute: number, toMinute: number) =>
    Array.from({ length: (toMinute - fromMinute) / STEP }, (_, n) =>
      reading(fromMinute + STEP * n, 0.5 + (n % 5) / 50, { meter_id: "SM-S-00999" }),
    );
  const both = (fromMinute: number, toMinute: number, isOut: boolean) =>
    [...readings(fromMinute, toMinute, () => isOut), ...beats(fromMinute, toMinute)].sort(byTime);
  const seen = await given(...masters(), ...keeper, ...both(0, 3 * DAY, false)).when(...both(3 * DAY, 6 * DAY, true));
  const open = silences(seen).filter(({ data }) => data.status === "open");
  assert.equal(
    open.map(({ subject, data }) => [subject, data.rule]),
    [["region/NORTH", "region.children_silent"]],
  );
  assert.is(silences(seen).length, 1 + 2 + 6 + 18);
  const back = await given(...masters(), ...keeper, ...both(0, 3 * DAY, false), ...both(3 * DAY, 6 * DAY, true)).when(
    ...both(6 * DAY, 6 * DAY + 2 * HOUR, false),
  );
  assert.equal(new Set(silences(back).map(({ data }) => data.status)), new Set(["cleared"]));
});

test("one meter alone speaks for itself, after its transformer has looked at the others", async () => {
  const lonely = metersOf("TRF-N-0001")[0] ?? "";
  const seen = await given(...masters(), ...readings(0, 3 * DAY, () => false)).when(
    ...readings(3 * DAY, 6 * DAY, (_, meter) => meter === lonely),
  );
  assert.equal(
    silences(seen).map(({ subject, data }) => [subject, data.rule, data.status, data.suppressedBy]),
    [[`meter/${lonely}`, "meter.silent", "open", null]],
  );
});

test("the meters of one transformer are its own alert; the others do not hear of it", async () => {
  const seen = await given(...masters(), ...readings(0, 3 * DAY, () => false)).when(
    ...readings(3 * DAY, 6 * DAY, (id) => id === "TRF-N-0002"),
  );
  const open = silences(seen).filter(({ data }) => data.status === "open");
  assert.equal(
    open.map(({ subject, data }) => [subject, data.rule]),
    [["transformer/TRF-N-0002", "transformer.children_silent"]],
  );
  assert.is(silences(seen).length, 4);
});

test("telemetry that goes on under load says communications, without load an outage, and without telemetry it is not known", async () => {
  for (const [loadMw, cause] of [
    [7, "communications"],
    [0, "outage"],
    [null, "unknown"],
  ] as const) {
    const sample = (minute: number) => OUT.map((id) => telemetry(minute, { transformer_id: id, load_mw: loadMw, capacity_mw: 20 }));
    const told = loadMw === null ? [] : [...sample(3 * DAY + 30), ...sample(3 * DAY + HOUR)];
    const seen = await given(...masters(), ...readings(0, 3 * DAY, () => false)).when(
      ...told,
      ...readings(3 * DAY, 5 * DAY, isOutage(3 * DAY, 9 * DAY)),
    );
    const alert = silences(seen).find(({ subject }) => subject === SUB);
    assert.is(alert?.data.observation.value, cause);
  }
});

test("a transformer of very many meters is one alert, too: it tells them so in turns, and lets them go in turns", async () => {
  const many = Array.from({ length: 130 }, (_, n) => `SM-N-${String(10_000 + n)}`);
  const below = many.map((meter, n) => customer("2024-01-01", { customer_id: `CUST-${String(n).padStart(6, "0")}`, meter_id: meter }));
  const beat = (minute: number, meters: readonly string[]) =>
    [...meters, "SM-S-00999"].map((meter) => reading(minute, 0.5, { meter_id: meter }));
  const beats = (fromMinute: number, toMinute: number, meters: readonly string[]) =>
    Array.from({ length: (toMinute - fromMinute) / 180 }, (_, n) => beat(fromMinute + 180 * n, meters)).flat();
  const before = [transformer("2024-01-01"), ...below, ...beats(0, 2 * DAY, many)];
  const out = await given(...before).when(...beats(2 * DAY, 5 * DAY, []));
  assert.equal(out.quarantine, []);
  const covered = silences(out).filter(({ data }) => data.status === "suppressed");
  assert.equal(
    [
      covered.length,
      silences(out)
        .filter(({ data }) => data.status === "open")
        .map(({ data }) => data.rule),
    ],
    [130, ["transformer.children_silent"]],
  );
  const back = await given(...before, ...beats(2 * DAY, 5 * DAY, [])).when(...beats(5 * DAY, 5 * DAY + 12 * HOUR, many));
  assert.equal(new Set(silences(back).map(({ data }) => data.status)), new Set(["cleared"]));
  assert.is(silences(back).length, 131);
});

test("in a storm silence is no news: what is raised of it is covered by the storm, until that is over", async () => {
  const limits = { limitShare: 0.7, clearShare: 0.95, expectedMin: 10, daysMin: 3 };
  const stormy = grid({ settings: new Map([["region.storm", { enabled: true, limits, overrides: [] }]]) });
  const before = [...masters(), ...readings(0, 5 * DAY, () => false)];
  const isAway = (id: string): boolean => id !== "TRF-N-0006";
  const storm = await stormy(...before).when(...readings(5 * DAY, 7 * DAY, isAway));
  const open = newest(storm).filter(({ data }) => data.status === "open");
  assert.equal(
    open.map(({ subject, data }) => [subject, data.rule]),
    [["region/NORTH", "region.storm"]],
  );
  assert.ok(silences(storm).some(({ data }) => data.suppressedBy === open[0]?.data.alertId));
  const after = await stormy(...before, ...readings(5 * DAY, 7 * DAY, isAway)).when(...readings(7 * DAY, 7 * DAY + 5 * HOUR, () => false));
  const last = newest(after).filter(({ data }) => data.rule === "region.storm" || data.rule.endsWith("silent"));
  assert.equal(new Set(last.map(({ data }) => data.status)), new Set(["cleared"]));
  const still = await stormy(...before, ...readings(5 * DAY, 7 * DAY, isAway)).when(
    ...readings(7 * DAY, 7 * DAY + 5 * HOUR, (_, meter) => meter === LONELY),
  );
  assert.equal(
    silences(still).flatMap(({ subject, data }) => (data.status === "open" ? [[subject, data.suppressedBy]] : [])),
    [[`meter/${LONELY}`, null]],
  );
});

/** The meter of an outage of its own, and what it had kept: readings that come when it is heard again. */
const LONELY = metersOf("TRF-N-0001")[0] ?? "";
const isLonely = (_: string, meter: string): boolean => meter === LONELY;
const kept = (fromMinute: number, toMinute: number): Arrival[] =>
  Array.from({ length: (toMinute - fromMinute) / STEP }, (_, n) => reading(fromMinute + STEP * n, 0.5, { meter_id: LONELY }));
const changes = (seen: Seen) =>
  seen.events.filter(({ data }) => data.rule === "meter.silent").map(({ type, data }) => `${type.split(".")[2]} ${data.status}`);

test("late readings take a silence back: amended, under the same alert id, with the reading as the cause", async () => {
  const before = [...masters(), ...readings(0, 3 * DAY, () => false), ...readings(3 * DAY, 5 * DAY, isLonely)];
  const raised = await given(...masters(), ...readings(0, 3 * DAY, () => false)).when(...readings(3 * DAY, 5 * DAY, isLonely));
  assert.equal(changes(raised), ["raised open", "updated open"]);
  const inOrder = await given(...before).when(...kept(3 * DAY, 5 * DAY));
  assert.equal(changes(inOrder), ["amended retracted"]);
  const [event] = inOrder.events.filter(({ data }) => data.rule === "meter.silent");
  assert.is(event?.data.alertId, raised.events.find(({ data }) => data.rule === "meter.silent")?.data.alertId);
  assert.is(event?.data.evidence[0]?.feed, "smart_meter");
  assert.ok((event?.data.observation.value as number) < 6);
  const newestFirst = await given(...before).when(reading(5 * DAY, 0.5, { meter_id: LONELY }), ...kept(3 * DAY, 5 * DAY));
  assert.equal(changes(newestFirst), ["cleared cleared", "amended retracted"]);
});

test("a late reading from the beginning of a silence leaves it a silence", async () => {
  const before = [...masters(), ...readings(0, 3 * DAY, () => false), ...readings(3 * DAY, 5 * DAY, isLonely)];
  const seen = await given(...before).when(...kept(3 * DAY, 3 * DAY + 2 * HOUR));
  assert.equal(changes(seen), []);
  assert.is(seen.actor(ActorId("meter", LONELY)).count("openEpisodes"), 1);
});

test("beyond the correction window late readings change no alert: that is noted", async () => {
  const before = [...masters(), ...readings(0, 3 * DAY, () => false), ...readings(3 * DAY, 5 * DAY, isLonely)];
  const seen = await given(...before, ...readings(5 * DAY, 14 * DAY, () => false)).when(...kept(3 * DAY, 5 * DAY));
  assert.equal(changes(seen), []);
  assert.ok((seen.counters("note smart_meter")["correction"] ?? 0) > 0);
});

test("an outage ends in one digest and the same events, whatever the batches and wherever it is killed", async () => {
  const script = [...masters(), ...readings(0, 5 * DAY, isOutage(2 * DAY, 4 * DAY))];
  const plain = await given().when(...script);
  assert.ok(silences(plain).length > 10);
  const draw = seeded(7);
  for (const batchOf of [1, () => 1 + draw.below(40)]) {
    const killed = script.flatMap((item): Script => (draw.below(400) === 0 ? [CRASH, item] : [item]));
    const other = await grid({ batchOf })().when(...killed);
    assert.is(other.digest, plain.digest);
    assert.equal(other.events, plain.events);
  }
});

function byTime(a: Arrival, b: Arrival): number {
  const time = ({ record }: Arrival): string => String((record as Readonly<Record<string, unknown>>)["timestamp"]);
  return time(a) < time(b) ? -1 : time(a) > time(b) ? 1 : 0;
}

test("each alert of a silence shows what was usual for its own meter", async () => {
  const meters = [1, 2, 3].map((n) => `SM-N-${20_000 + n}`);
  const below = meters.map((meter, n) => customer("2024-01-01", { customer_id: `CUST-20000${n}`, meter_id: meter }));
  const beat = (minute: number) => meters.map((meter, n) => reading(minute, 1 + n, { meter_id: meter }));
  const clock = (minute: number) => [reading(minute, 1, { meter_id: "SM-S-00999" })];
  const hourly = (from: number, to: number, at: (minute: number) => readonly Arrival[]) =>
    Array.from({ length: (to - from) / HOUR }, (_, n) => at(from + n * HOUR)).flat();
  const before = [transformer("2024-01-01"), ...below, ...hourly(0, 3 * DAY, (minute) => [...beat(minute), ...clock(minute)])];
  const out = await given(...before).when(...hourly(3 * DAY, 5 * DAY, clock));
  const silent = out.events.filter(({ type, data }) => type.includes("raised") && data.rule === "meter.silent");
  const medians = silent.map(({ subject, data }) => [subject, data.details?.after?.["median"]]).sort();
  assert.equal(
    medians,
    meters.map((meter, n) => [`meter/${meter}`, 1 + n]),
  );
});
