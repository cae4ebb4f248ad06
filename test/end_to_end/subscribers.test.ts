// timeout: 900 s
import * as assert from "uvu/assert";
import { subscriberTrial } from "../kit/subscriber_trial.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

// `SUBSCRIBER_TRIAL=full npx tsx test/end_to_end/subscribers.test.ts`: 1,000 subscribers, and what they cost is held to its bounds. Otherwise the same in
// small, where costs are within what a busy machine adds.

const test = suite("subscribers of a running engine");

const IS_FULL = process.env["SUBSCRIBER_TRIAL"] === "full";
const SIZE = IS_FULL
  ? { readers: 500, idlers: 500, readings: 400_000, reconnects: 100 }
  : { readers: 20, idlers: 20, readings: 10_000, reconnects: 100 };
const MEMORY_MIB_MAX = 256;
const SLOWER_MAX = 1.05;

test(`${SIZE.readers} readers get every event once and in order beside ${SIZE.idlers} that never read and are cut, as does one that comes back 100 times`, () =>
  inTempFolder(async (path) => {
    const { alone, subscribed, ...seen } = await subscriberTrial({ ...SIZE, path });
    const memoryMiB = subscribed.peakMiB - alone.peakMiB;
    const slower = subscribed.cpuSeconds / alone.cpuSeconds;
    process.stdout.write(`\n${JSON.stringify({ ...SIZE, alone, subscribed, memoryMiB, slower, ...seen })}\n`);
    assert.ok(seen.events > 500);
    assert.equal([seen.incomplete, seen.returnedWhole, seen.subscribersLeft], [0, true, SIZE.readers]);
    assert.ok(memoryMiB < MEMORY_MIB_MAX, `${memoryMiB} MiB more`);
    if (IS_FULL) assert.ok(slower < SLOWER_MAX, `${slower} times the CPU time`);
  }));
