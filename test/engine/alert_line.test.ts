import * as assert from "uvu/assert";
import { alertLine } from "../../engine/alert_line.ts";
import type { AlertData } from "../../engine/emission.ts";
import { ActorId } from "../../engine/ids.ts";
import { alertEmission } from "../kit/emissions.ts";
import { suite } from "../kit/suite.ts";

const test = suite("alert line");
const observation = alertEmission(1).event.data.observation;
const line = (changes: Partial<AlertData>): string => alertLine(alertEmission(1, changes).event, 3_613, false);

test("the line is the one that the interfaces show", () => {
  assert.is(
    line({}),
    "#3613  16:23:45Z  MAJOR     raised  meter.spike              SM-N-00042  86.412 kWh, limit 50      ALR-7K2Q9D4M1T5XHB3R",
  );
});

test("columns keep their places for each severity and change", () => {
  const { event } = alertEmission(1, { severity: "critical" });
  const cleared = alertLine({ ...event, type: "energy.alert.cleared.v1" }, 3_613, false);
  assert.is(
    cleared,
    "#3613  16:23:45Z  CRITICAL  cleared meter.spike              SM-N-00042  86.412 kWh, limit 50      ALR-7K2Q9D4M1T5XHB3R",
  );
});

test("a word wider than its column is not cut and keeps a space", () => {
  assert.match(line({ rule: "transformer.children_silent_for_long" }), " transformer.children_silent_for_long SM-N-00042 ");
});

test("the limit shown is the one that was passed", () => {
  assert.match(line({ observation: { ...observation, value: 0.02, lower: 0.05, upper: 50 } }), " 0.02 kWh, limit 0.05 ");
  assert.match(line({ observation: { ...observation, lower: null, upper: null } }), " 86.412 kWh  ");
});

test("numbers are shown with the digits that matter", () => {
  assert.match(line({ observation: { ...observation, value: 78.39999999999999, upper: 60 } }), " 78.4 kWh, limit 60 ");
  assert.match(line({ observation: { ...observation, value: 0.0004129, upper: null } }), " 0.000413 kWh ");
  assert.match(line({ observation: { ...observation, value: 123_456_789, unit: "", upper: null } }), " 123456789  ");
});

test("a value that is text, or none, is shown without a limit", () => {
  assert.match(line({ observation: { ...observation, value: "GAS_ALARM", unit: "", upper: null } }), " GAS_ALARM  ");
  assert.match(line({ observation: { ...observation, value: null, unit: "", upper: null } }), " -  ");
});

test("an amendment that takes the alert back says so", () => {
  const { event } = alertEmission(1, { status: "retracted" });
  assert.match(alertLine({ ...event, type: "energy.alert.amended.v1" }, 1, false), " retracted ");
});

test("colour only adds to the word", () => {
  const { event } = alertEmission(1);
  const colored = alertLine(event, 3_613, true);
  assert.is.not(colored, line({}));
  assert.is(colored.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g"), ""), line({}));
});

test("text from a record cannot steer the terminal", () => {
  const { event } = alertEmission(1, { observation: { ...observation, value: "\u001b[2J\u202e\n\u009b", unit: "", upper: null } });
  assert.match(alertLine({ ...event, subject: ActorId("meter", "SM\u0007") }, 1, false), /SM\? .* \?\[2J\?\?\? /);
});
