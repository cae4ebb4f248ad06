// timeout: 1500 s
import * as assert from "uvu/assert";
import { brokerMissing, type KafkaBroker, startBroker } from "../kit/kafka_broker.ts";
import { sinkTrial } from "../kit/sink_trial.ts";
import { notRun, suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

// `SINK_TRIAL=full npx tsx test/end_to_end/sink_kill.test.ts`: 50 kills, 100,000 emissions. Otherwise the same in small.

const test = suite("sinks of a killed engine");

const SIZE =
  process.env["SINK_TRIAL"] === "full"
    ? { kills: 50, emissions: 100_000, readingsPerSecond: 2_000, postsMax: 120, lifeMsMax: 4_000 }
    : { kills: 4, emissions: 1_500, readingsPerSecond: 400, postsMax: 30, lifeMsMax: 10_000 };
const SEED = 11;
const ONCE = { missing: 0, foreign: 0, repeats: 0, different: 0, disordered: 0 };

test(`${SIZE.kills} kills leave every sink whole: files and tables have each emission once, a topic and an endpoint repeat only what is the same`, () =>
  inTempFolder(async (path) => {
    const missing = brokerMissing();
    if (missing !== null) notRun("the Kafka sink of a killed engine", missing);
    const broker: KafkaBroker | null = missing === null ? await startBroker() : null;
    try {
      const { held, ...size } = await sinkTrial({ ...SIZE, path, broker, seed: SEED });
      process.stdout.write(`\n${JSON.stringify({ seed: SEED, ...size, held })}\n`);
      assert.ok(size.emissions >= SIZE.emissions);
      for (const sink of ["JSON lines", "JSON lines of rows", "Parquet"]) assert.equal(held[sink], ONCE, sink);
      for (const sink of broker === null ? ["webhook"] : ["webhook", "Kafka"]) assert.equal({ ...held[sink], repeats: 0 }, ONCE, sink);
    } finally {
      await broker?.remove();
    }
  }));
