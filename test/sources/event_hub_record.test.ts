import * as assert from "uvu/assert";
import { connectionStringProblem } from "../../sources/event_hub_address.ts";
import { type HubEventData, recordOf } from "../../sources/event_hub_record.ts";
import { suite } from "../kit/suite.ts";

const test = suite("events of a hub");

const COLUMNS = new Map([
  ["iothub-connection-device-id", "device"],
  ["iothub-enqueuedtime", "enqueued"],
]);

function event(body: unknown, systemProperties: Readonly<Record<string, unknown>> = {}): HubEventData {
  return { body, sequenceNumber: 7, offset: "448", enqueuedTimeUtc: new Date(1_750_000_000_123), systemProperties };
}

test("a record has the number, the arrival and the bytes of its event", () => {
  const bytes = Buffer.from('{"a":1}');
  assert.equal(recordOf(event(bytes), new Map()), { at: 7, arrivedAtMs: 1_750_000_000_123, bytes });
});

test("sections that follow one another are one body", () => {
  const { bytes, fault } = recordOf(event([Buffer.from('{"a"'), Buffer.from(":1}")]), new Map());
  assert.equal([Buffer.from(bytes).toString(), fault], ['{"a":1}', undefined]);
});

test("corpus 79: a body without bytes is left to decode", () => {
  assert.equal(recordOf(event(Buffer.alloc(0)), new Map()).bytes.length, 0);
});

test("corpus 97: a body that is an AMQP value or sequence is a fault, with what it said as JSON", () => {
  for (const body of ["text", 5, null, undefined, { a: 1n }, [], [1, 2], [Buffer.from("a"), "b"]]) {
    const { fault, bytes } = recordOf(event(body), COLUMNS);
    assert.is(fault?.code, "bad_encoding");
    JSON.parse(Buffer.from(bytes).toString());
  }
});

test("what an IoT hub says beside the body comes under the names of columns, and nothing else does", () => {
  const properties = { "iothub-connection-device-id": "IOT-1", "iothub-enqueuedtime": 1_750_000_000_100, "content-type": "x" };
  assert.equal(recordOf(event(Buffer.from("{}"), properties), COLUMNS).beside, { device: "IOT-1", enqueued: 1_750_000_000_100 });
  assert.equal(recordOf(event(Buffer.from("{}"), { "content-type": "x" }), COLUMNS).beside, undefined);
  assert.equal(recordOf(event(Buffer.from("{}"), properties), new Map()).beside, undefined);
});

test("a connection string needs a host and a key, and is for this hub if for one; what is wrong with it is told without it", () => {
  const good = "Endpoint=sb://grid.servicebus.windows.net/;SharedAccessKeyName=reader;SharedAccessKey=canary=";
  assert.is(connectionStringProblem(good, "telemetry"), null);
  assert.is(connectionStringProblem(`${good};EntityPath=telemetry`, "telemetry"), null);
  assert.is(connectionStringProblem("Endpoint=sb://h/;SharedAccessSignature=SharedAccessSignature sr=canary", "telemetry"), null);
  const bad = [
    "",
    "canary",
    "Endpoint=canary;SharedAccessKeyName=a;SharedAccessKey=b",
    good.replace("SharedAccessKey=", "canary="),
    `${good};EntityPath=canary`,
  ];
  for (const text of bad) {
    const problem = connectionStringProblem(text, "telemetry");
    assert.ok(problem !== null && !problem.includes("canary"), `${text}: ${problem}`);
  }
});
