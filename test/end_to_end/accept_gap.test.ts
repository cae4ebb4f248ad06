// timeout: 240 s
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { GapItem } from "../../admin/gaps.ts";
import { ask } from "../kit/admin_server.ts";
import { change, INSERT } from "../kit/grid.ts";
import { gridactor, run } from "../kit/grid_folder.ts";
import { brokerMissing, startBroker } from "../kit/kafka_broker.ts";
import { notRun, suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("a gap that an operator accepts");
const MISSING = brokerMissing();
const TOPIC = "energy.billing.cdc";

const billOf = (n: number): string => `TXN-0000010${n}`;
const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => ({
    partition: 0,
    value: JSON.stringify(change(from + n, INSERT, { transaction_id: billOf(from + n) }).record),
  }));

test("a source that has lost changes stops, goes on when somebody accepts that, and bills from before are suspect from then on", async () => {
  if (MISSING !== null) return notRun("accept-gap", MISSING);
  const path = await newTempFolder();
  const broker = await startBroker();
  const config = join(path, "gridactor.yaml");
  const source = `{ feed: billing, type: kafka, connection: k, topic: ${TOPIC} }`;
  const connections = `connections: { k: { type: kafka, brokers: ["${broker.connection.brokers[0]}"] } }`;
  await writeFile(config, `version: 1\nstate: ./state\nadmin: { http: false }\n${connections}\nsources: { bills: ${source} }\n`);
  const folder = { path, config, state: join(path, "state"), alerts: "", curated: "" };
  const socket = join(folder.state, "admin.sock");
  let daemon = gridactor(["run"], folder);
  try {
    await broker.createTopic(TOPIC, 1);
    await broker.produce(TOPIC, rows(0, 5));
    await daemon.until(({ stderr }) => stderr.includes("asked at"));
    await untilKnown(socket, billOf(4));
    daemon.kill("SIGINT");
    await daemon.ended;

    await broker.produce(TOPIC, rows(5, 9));
    await broker.deleteRecords(TOPIC, "7");
    daemon = gridactor(["run"], folder);
    await daemon.until(({ stderr }) => stderr.includes("source.stopped"));
    const [stopped] = await gapsAt(socket);
    assert.equal([stopped?.source, stopped?.partition, stopped?.state], ["bills", `${TOPIC}/0`, "stopped"]);
    assert.match(stopped?.reason ?? "", "offsets 5 to 6 are gone");
    assert.is(await suspicionOf(socket, billOf(0)), undefined, "nothing was accepted yet");

    const accepted = await run(["--json", "accept-gap", "bills", "--write", "--reason-text", "retention was too short"], folder);
    assert.is(accepted.code, 0, accepted.stderr);
    assert.equal(JSON.parse(accepted.stdout), { source: "bills", partitions: [`${TOPIC}/0`] });
    await untilKnown(socket, billOf(8));
    const gaps = await gapsAt(socket);
    assert.equal(
      gaps.map(({ state, feed, number, position }) => [state, feed, number, position?.split(" ")[0]]),
      [["accepted", "billing", 1, "7"]],
    );
    assert.equal([await suspicionOf(socket, billOf(4)), await suspicionOf(socket, billOf(7))], [true, undefined]);
    assert.is((await run(["accept-gap", "bills", "--write"], folder)).code, 1, "once is enough");
  } finally {
    daemon.kill("SIGINT");
    await daemon.ended;
    await broker.remove();
    await removeFolder(path);
  }
});

async function gapsAt(socket: string): Promise<readonly GapItem[]> {
  return JSON.parse((await ask({ url: null, socket }, "/v1/gaps")).text) as readonly GapItem[];
}

async function attributesOf(socket: string, bill: string): Promise<Readonly<Record<string, unknown>> | null> {
  const { status, text } = await ask({ url: null, socket }, `/v1/actors/bill/${bill}`);
  return status === 200
    ? (JSON.parse(text) as { readonly state: { readonly attributes: Record<string, unknown> } }).state.attributes
    : null;
}

async function suspicionOf(socket: string, bill: string): Promise<unknown> {
  return (await attributesOf(socket, bill))?.["suspect"];
}

async function untilKnown(socket: string, bill: string): Promise<void> {
  while ((await attributesOf(socket, bill)) === null);
}
