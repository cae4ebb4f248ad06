// timeout: 120 s
import { sourceContract } from "../contract/source.ts";
import { amqpHub } from "../kit/amqp_hub.ts";
import { hubEvents, hubSource } from "../kit/hub_source.ts";

const TEXTS = Array.from({ length: 9 }, (_, n) => `{"n":${n}}`);
const BOUNDS = { records: 2, bytes: 1_000 };

sourceContract("an event hub", async () => {
  const hub = await amqpHub({ partitions: 1 });
  const hubs = [hub];
  hub.append(0, hubEvents(TEXTS));
  return {
    open: () => hubSource(hub, { bounds: BOUNDS }),
    expected: { "0": TEXTS },
    bounds: BOUNDS,
    flooded: async (records) => {
      const full = await amqpHub({ partitions: 1 });
      hubs.push(full);
      full.append(0, hubEvents(records));
      return hubSource(full, { bounds: { records: 64, bytes: 1_000_000 } });
    },
    remove: async () => {
      for (const one of hubs) await one.close();
    },
  };
});
