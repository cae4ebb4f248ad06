// timeout: 120 s
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as assert from "uvu/assert";
import { compose } from "../../compose.ts";
import { wallClock } from "../../engine/clock.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { decodeQuarantine, type QuarantineRow } from "../../engine/quarantine.ts";
import { kafkaTopic } from "../../sources/kafka/topic.ts";
import { alertLines, type GridFolder, gridConfig, inGridFolder } from "../kit/grid_folder.ts";
import { brokerMissing, startBroker } from "../kit/kafka_broker.ts";
import { notRun, suite } from "../kit/suite.ts";

const test = suite("sinks of the configuration");

test("an endpoint that is away stops nothing, gets everything once it is back, and what it refuses is a dead letter", async () => {
  const { port, open, close, ids } = await endpoint();
  const hook = `oncall: { type: webhook, stream: alerts, url: "http://127.0.0.1:${port}/x", secrets: [a-secret], origins: [live, late], allowHosts: [127.0.0.1] }`;
  await inGridFolder(
    async (folder) => {
      await drain(folder, 1);
      const lines = await alertLines(folder);
      assert.ok(lines.length > 100);
      assert.equal(ids, []);
      await open((id) => (id === lines[2]?.id ? 400 : 204));
      const quarantined = await drain(folder, 60_000);
      await close();
      assert.equal(
        [...new Set(ids)],
        lines.map(({ id }) => id),
      );
      assert.equal(
        quarantined.map(({ reason, source, bytes }) => [reason, source, JSON.parse(Buffer.from(bytes).toString()).id]),
        [["dead_letter", "oncall", lines[2]?.id]],
      );
    },
    undefined,
    { "sinks:\n": `sinks:\n  ${hook}\n` },
  );
});

test("a topic gets the events of the alert file, each once, over two runs", async () => {
  const missing = brokerMissing();
  if (missing !== null) return notRun("kafka sink: end to end", missing);
  const broker = await startBroker();
  try {
    await broker.createTopic("energy.alerts", 3);
    const connection = `connections: { k: { type: kafka, brokers: ["${broker.connection.brokers[0]}"] } }`;
    const changes = {
      "sinks:\n": `${connection}\nsinks:\n  topic: { type: kafka, stream: alerts, connection: k, topic: energy.alerts }\n`,
    };
    await inGridFolder(
      async (folder) => {
        await drain(folder, 60_000);
        await drain(folder, 60_000);
        await broker.endTransactions(`gridactor-${await storeIdOf(folder)}-topic`);
        const ids: string[] = [];
        const { readTail } = kafkaTopic(broker.connection, "energy.alerts", "check", wallClock);
        await readTail(null, ({ headers }) => void ids.push(headers.get("ce_id") ?? ""));
        assert.equal(ids.sort(), (await alertLines(folder)).map(({ id }) => id).sort());
      },
      undefined,
      changes,
    );
  } finally {
    await broker.remove();
  }
});

/** Drains the committed data; the sinks get so long at the end. Returns the quarantine. */
async function drain(folder: GridFolder, sinksMs: number): Promise<readonly QuarantineRow[]> {
  const config = gridConfig(folder);
  const store = await openLmdbStore({ dir: folder.state, limits: config.limits });
  const engine = await compose({
    config,
    store,
    mode: "drain",
    screen: null,
    onRetry: (source, error) => assert.unreachable(`${source}: ${error.message}`),
    onSinkRetry: () => {},
    onStage: () => {},
    onTrouble: () => {},
  });
  await engine.run(new AbortController().signal, sinksMs);
  const rows = [...store.range("quarantine", "")].map(([, bytes]) => decodeQuarantine(bytes));
  await engine.close();
  return rows;
}

async function storeIdOf(folder: GridFolder): Promise<string> {
  const store = await openLmdbStore({ dir: folder.state, limits: gridConfig(folder).limits, readOnly: true });
  await store.close();
  return store.storeId;
}

/** A port on which nobody listens before `open`. `ids`: of what was posted. */
async function endpoint() {
  const ids: string[] = [];
  let statusOf = (_: string): number => 204;
  const server = createServer((request, response) => {
    const id = String(request.headers["webhook-id"]);
    ids.push(id);
    request.resume();
    response.writeHead(statusOf(id)).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => void (await new Promise((closed) => server.close(closed)));
  await close();
  const open = async (status: (id: string) => number): Promise<void> => {
    statusOf = status;
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  return { port, open, close, ids };
}
