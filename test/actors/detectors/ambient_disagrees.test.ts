import * as assert from "uvu/assert";
import type { Arrival, Seen } from "../../kit/given.ts";
import { given, telemetry } from "../../kit/grid.ts";
import { at } from "../../kit/puppets.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("substation.ambient_disagrees");

const HOUR = 60;
const SUBSTATIONS = [1, 2, 3, 4, 5, 6];

/** Each substation's outdoor temperature, twice an hour. */
function weather(hours: number, ambientOf: (substation: number, hour: number) => number): readonly Arrival[] {
  return Array.from({ length: 2 * hours }, (_, half) =>
    SUBSTATIONS.map((n) => {
      const place = { substation_id: `SUB-N-00${n}`, transformer_id: `TRF-N-000${n}` };
      return telemetry(half * 30 + n / 10, { ...place, ambient_temperature_c: ambientOf(n, Math.floor(half / 2)) });
    }),
  ).flat();
}

const day = (hour: number): number => 30 + 6 * Math.sin((hour / 24) * 2 * Math.PI);
const changes = ({ events }: Seen) =>
  events
    .filter(({ data }) => data.rule === "substation.ambient_disagrees")
    .map(({ type, subject, time }) => [type.split(".")[2], subject, time]);

test("a thermometer that goes wrong is seen after three hours, and its end, too", async () => {
  const isWrong = (n: number, hour: number): boolean => n === 3 && hour >= 30 && hour < 40;
  const seen = await given().when(...weather(48, (n, hour) => day(hour) + (isWrong(n, hour) ? 14 : 0)));
  const when = (hour: number): string => new Date(at(hour * HOUR)).toISOString();
  assert.equal(changes(seen), [
    ["raised", "substation/SUB-N-003", when(34)],
    ["cleared", "substation/SUB-N-003", when(42)],
  ]);
});

test("what altitude does is learnt, and is no fault", async () => {
  assert.equal(changes(await given().when(...weather(60, (n, hour) => day(hour) - (n === 2 ? 15 : 0)))), []);
});

test("too few substations are no measure", async () => {
  const few = weather(48, (n, hour) => day(hour) + (n === 3 && hour >= 30 ? 14 : 0)).filter((_, n) => n % 6 < 4);
  assert.equal(changes(await given().when(...few)), []);
});
