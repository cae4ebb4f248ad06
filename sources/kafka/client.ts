import { realpathSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type * as KafkaJs from "kafkajs";
import { invariant } from "../../engine/fault.ts";
import { decompress } from "./codecs.ts";
import { markPassedOver, packedBatch } from "./packed_batch.ts";

/** How to reach a cluster. Texts of certificates are PEM. */
export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Null: no encryption. `isUnchecked`: any certificate will do, for development. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly isUnchecked?: boolean } | null;
  readonly sasl:
    | { readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512"; readonly username: string; readonly password: string }
    | { readonly mechanism: "oauthbearer"; readonly token: string }
    | null;
}

/** A client of the cluster, of the library with our guards in it. `retries`: how often it tries again before it says that there is an outage. */
export function kafkaClient({ brokers, clientId, tls, sasl }: KafkaConnection, retries = 5): KafkaJs.Kafka {
  const { Kafka, logLevel } = guarded();
  const ssl = tls === null ? {} : { ssl: { ...tls, rejectUnauthorized: tls.isUnchecked !== true } };
  const login =
    sasl?.mechanism === "oauthbearer"
      ? { sasl: { mechanism: sasl.mechanism, oauthBearerProvider: async () => ({ value: sasl.token }) } }
      : sasl === null
        ? {}
        : { sasl: sasl as KafkaJs.SASLOptions };
  return new Kafka({
    brokers: [...brokers],
    clientId,
    ...ssl,
    ...login,
    connectionTimeout: 3_000,
    authenticationTimeout: 5_000,
    requestTimeout: 15_000,
    logLevel: logLevel.NOTHING, // Its errors come to us as errors.
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, retries, restartOnFailure: async () => false }, // The pump begins again.
  });
}

/** The partition, of so many, that the library and Java's client choose for a key. */
export function partitionOfKey(key: string, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
    partitionErrorCode: 0,
  }));
  return guarded().Partitioners.DefaultPartitioner()({ topic: "", partitionMetadata, message: { key, value: null } });
}

/** The library's codec of what members of a group say of themselves and are given. */
export function assignerProtocol(): typeof KafkaJs.AssignerProtocol {
  return guarded().AssignerProtocol;
}

const require = createRequire(import.meta.url);
let library: typeof KafkaJs | null = null;

/**
 * The library, with three parts replaced. Its decoder of record batches checks no checksum, inflates without bound, and a batch that it cannot read
 * stops all partitions; ours leaves the batch packed. Its filter of aborted transactions lets records through when an earlier transaction was
 * compacted away, and hides where control batches were fetched from. And the codecs of old message sets are ours, bounded.
 */
function guarded(): typeof KafkaJs {
  if (library !== null) return library;
  const root = join(dirname(realpathSync(require.resolve("kafkajs/package.json"))), "src"); // A linked folder is another module to some loaders.
  replace(join(root, "protocol/recordBatch/v0/decoder.js"), packedBatch);
  replace(join(root, "consumer/filterAbortedMessages.js"), markPassedOver);
  library = require(dirname(root)) as typeof KafkaJs;
  invariant(require.cache[join(root, "index.js")] !== undefined, "the library is the one whose modules were replaced");
  for (const codec of [1, 2, 3, 4] as const) {
    library.CompressionCodecs[codec] = () => ({ decompress: (bytes: Buffer) => decompress(codec, bytes), compress: noCompression });
  }
  return library;
}

/** Puts a module of ours in the place of one of the library's, before anything of it is loaded. */
function replace(path: string, exports: unknown): void {
  invariant(require.cache[path] === undefined, "kafkajs is loaded by the source before it reads for anybody else");
  const module = new Module(path);
  module.exports = exports;
  module.loaded = true;
  require.cache[path] = module;
}

function noCompression(): never {
  throw new Error("what the source reads with does not write");
}
