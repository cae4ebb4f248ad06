import * as assert from "uvu/assert";
import { alertLine } from "../../engine/alert_line.ts";
import { terminal } from "../../sinks/terminal.ts";
import { alertEmission, rowEmission } from "../kit/emissions.ts";
import { suite } from "../kit/suite.ts";

const test = suite("terminal");

test("each alert event is a line, and what is no alert is none", async () => {
  const shown: string[] = [];
  const sink = terminal({ name: "screen", write: (text) => void shown.push(text), color: false });
  await sink.write([alertEmission(1), rowEmission(2), alertEmission(3)]);
  await sink.write([rowEmission(4)]);
  await sink.close();
  assert.equal(shown, [`${alertLine(alertEmission(1).event, 1, false)}\n${alertLine(alertEmission(3).event, 3, false)}\n`]);
});

test("lines are coloured where the caller allows it", async () => {
  const shown: string[] = [];
  await terminal({ name: "screen", write: (text) => void shown.push(text), color: true }).write([alertEmission(1)]);
  assert.equal(shown, [`${alertLine(alertEmission(1).event, 1, true)}\n`]);
});
