import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { z } from "zod";
import { compose } from "../../compose.ts";
import { hours } from "../../engine/duration.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { messageOf } from "../../sinks/kafka/message.ts";
import { signedHeaders } from "../../sinks/webhook/signature.ts";
import { alertEmission } from "../kit/emissions.ts";
import { alertLines, gridConfig, inGridFolder, ROOT } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";

const test = suite("the shipped documents of alerts");

const text = readFileSync(join(ROOT, "schemas/alert.schema.json"), "utf8");
const schema = z.fromJSONSchema(JSON.parse(text));
const asyncApi = parse(readFileSync(join(ROOT, "asyncapi.yaml"), "utf8"));

test("every event that the committed data lead to fits the schema", () =>
  inGridFolder(async (folder) => {
    const engine = await compose({
      config: gridConfig(folder),
      store: openMemoryStore(),
      mode: "drain",
      screen: null,
      onRetry: (source, error) => assert.unreachable(`${source}: ${error.message}`),
      onSinkRetry: () => {},
      onStage: () => {},
      onTrouble: () => {},
    });
    await engine.run(new AbortController().signal, hours(1));
    await engine.close();
    const events = await alertLines(folder);
    assert.ok(events.length > 100);
    for (const event of events) assert.equal(problems(event), []);
  }));

test("the schema refuses what is no event", () => {
  const { event } = alertEmission(1);
  assert.equal(problems(event), []);
  const bad: readonly object[] = [
    { ...event, type: "energy.alert.lost.v1" },
    { ...event, id: event.data.alertId },
    { ...event, sequence: "1" },
    { ...event, time: "2025-06-15" },
    { ...event, data: { ...event.data, severity: "bad" } },
    { ...event, data: { ...event.data, observation: { ...event.data.observation, n: undefined } } },
    { ...event, data: { ...event.data, more: 1 } },
  ];
  for (const one of bad) assert.not.equal(problems(JSON.parse(JSON.stringify(one))), []);
});

test("the AsyncAPI document refers to what is there, and knows the headers that are sent", () => {
  for (const reference of references(asyncApi)) assert.ok(isThere(reference), reference);
  const headersOf = (name: string): z.ZodType => z.fromJSONSchema(asyncApi.components.messages[name].headers);
  const { headers } = messageOf(alertEmission(1), { epoch: "store-a", source: "/gridactor/main", rowJson: () => "" });
  assert.ok(headersOf("kafkaAlert").safeParse(headers).success);
  assert.ok(headersOf("webhookAlert").safeParse(signedHeaders("id", 0, "", ["secret"])).success);
});

function problems(event: object): readonly string[] {
  const { error } = schema.safeParse(event);
  return error === undefined ? [] : error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

function references(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === "$ref" ? [String(inner)] : references(inner)));
}

/** Whether a reference into the document, or into the schema beside it, leads to something. */
function isThere(reference: string): boolean {
  const [file, path = ""] = reference.split("#");
  if (file !== "" && file !== "./schemas/alert.schema.json") return false;
  const names = path.split("/").slice(1);
  return (
    names.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], file === "" ? asyncApi : JSON.parse(text)) !==
    undefined
  );
}
