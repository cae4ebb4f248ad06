import { ONE_ENGINE_RULES } from "./actors/one_engine_rules.ts";
import type { CommandLine } from "./admin/commands/command_line.ts";
import { type LoadedConfig, requireRunnable } from "./admin/config.ts";
import { CommandError } from "./admin/errors.ts";
import type { Log } from "./admin/log.ts";
import { initCluster } from "./cluster/topics.ts";
import {
  type ClusterRun,
  clusterError,
  clusterSettings,
  clusterStatus,
  clusterVerify,
  clusterWhere,
  ingestRun,
  nodeRun,
  type ShardRow,
  type Verified,
} from "./cluster_daemon.ts";
import { stopOnSignals } from "./daemon.ts";

/** What the program gives these commands. */
export interface ClusterTools {
  readonly load: () => Promise<LoadedConfig>;
  readonly openLog: (loaded: LoadedConfig) => Promise<Log>;
  /** Ends the process after an error: a store that failed is not closed, restarting is the recovery. */
  readonly onFailure: (error: unknown) => never;
}

interface NodeFlags {
  readonly drain?: boolean;
  readonly insecureDev?: boolean;
  readonly withIngest?: boolean;
}

/** `ingest`, and `cluster init | status | verify`. */
export function clusterCommands(line: CommandLine, tools: ClusterTools): void {
  const { program, config, answer } = line;
  program
    .command("ingest")
    .description("read the sources into the mailbox of a cluster, until Ctrl-C")
    .option("--drain", "the files to their present end, and then end")
    .option("--insecure-dev", "Kafka without certificate check")
    .action(async ({ drain = false, insecureDev = false }: NodeFlags) => {
      const loaded = await tools.load();
      requireRunnable(loaded);
      await ended(loaded, tools, (run, stop) => ingestRun({ ...run, say: line.say, insecureDev }, drain, stop));
    });
  const cluster = program.command("cluster").description("the topics, shards and snapshots of a cluster");
  cluster
    .command("init")
    .description("make the topics of the cluster; changes none that is there")
    .option("--insecure-dev", "Kafka without certificate check")
    .action(async ({ insecureDev = false }: NodeFlags) => {
      const settings = clusterSettings(await config(), insecureDev);
      const made = await initCluster(settings).catch((error: unknown) => {
        throw clusterError(error);
      });
      answer(made, () => {
        const topics = made.made.length === 0 ? "all topics are there" : `made ${made.made.join(", ")}`;
        return `cluster ${made.id} of ${made.shards} shards: ${topics}\n`;
      });
    });
  cluster
    .command("status")
    .description("each shard: its node, how far it is, its lag and its snapshot")
    .option("--insecure-dev", "Kafka without certificate check")
    .action(async ({ insecureDev = false }: NodeFlags) => {
      const rows = await clusterStatus(await config(), insecureDev);
      answer(rows, () => rows.map(statusLine).join(""));
    });
  cluster
    .command("where")
    .description("the shard that an actor lives in, and the node that has it")
    .argument("<id>", "such as meter/SM-N-00042")
    .option("--insecure-dev", "Kafka without certificate check")
    .action(async (id: string, { insecureDev = false }: NodeFlags) => {
      if (!/^[a-z]+\/./.test(id)) throw new CommandError("USAGE", `${id} is no whole id`, { hint: "meter/SM-N-00042" });
      const where = await clusterWhere(await config(), id, insecureDev);
      answer(
        where,
        () => `${id} lives in shard ${where.shard}, ${where.node === null ? "which nobody has yet" : `which ${where.node} has`}\n`,
      );
    });
  cluster
    .command("verify")
    .description("replay each shard up to its newest snapshot, and compare the digests")
    .option("--insecure-dev", "Kafka without certificate check")
    .action(async ({ insecureDev = false }: NodeFlags) => {
      const found = await clusterVerify(await config(), insecureDev);
      answer(found, () => found.map(verifiedLine).join(""));
      if (found.some(({ result }) => result !== "same")) process.exitCode = ASSERTION_EXIT;
    });
}

const ASSERTION_EXIT = 5;

/** `run` on a node. */
export async function runNodeCommand(loaded: LoadedConfig, options: NodeFlags, tools: ClusterTools): Promise<void> {
  if (options.drain === true) throw new CommandError("USAGE", "a node of a cluster has no end", { hint: "gridactor ingest --drain" });
  const insecureDev = options.insecureDev === true;
  await ended(loaded, tools, async (run, stop) => {
    const asked = { ...run, insecureDev };
    if ((loaded.config.cluster?.shards ?? 1) > 1) {
      run.log.info(
        "cluster.shard",
        `off in a cluster, for they need all records of a region in one engine: ${ONE_ENGINE_RULES.join(", ")}`,
      );
    }
    if (options.withIngest !== true) return nodeRun(asked, stop);
    const both = new AbortController();
    const end = (): void => both.abort();
    stop.addEventListener("abort", end, { once: true });
    if (stop.aborted) end();
    await Promise.all([nodeRun(asked, both.signal), ingestRun(asked, false, both.signal)].map((one) => one.finally(end)));
  });
}

/** Does `work` until the process is asked to end. */
async function ended(
  loaded: LoadedConfig,
  tools: ClusterTools,
  work: (run: ClusterRun, stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const log = await tools.openLog(loaded);
  const say = (text: string): void => void process.stderr.write(`  ${text}`);
  try {
    await work({ config: loaded.config, log, say, insecureDev: false }, stopOnSignals(log));
  } catch (error) {
    if (!(error instanceof CommandError)) log.fatal("engine.failed", error instanceof Error ? error.message : String(error));
    return tools.onFailure(error);
  } finally {
    log.close();
  }
  process.stdout.write("", () => process.exit()); // Timers that the client of the brokers has left must not hold the process.
}

function statusLine({ shard, node, next, lag, tellsWaiting, snapshotBehind, snapshotAt, isSnapshotTooOld }: ShardRow): string {
  const owner = node === null ? "nobody has it yet" : `${node} at ${next}`;
  const snapshot = snapshotBehind === null ? "no snapshot" : `snapshot behind ${snapshotBehind} of ${snapshotAt}`;
  const old = isSnapshotTooOld ? ", OLDER THAN THE MAILBOX" : "";
  return `shard ${shard}: ${owner}, ${lag} to take, ${tellsWaiting ?? 0} tells to hand over, ${snapshot}${old}\n`;
}

function verifiedLine({ shard, behind, digest, replayed, result }: Verified): string {
  const digests = replayed === null ? "" : `, ${digest} and ${replayed}`;
  return `shard ${shard}: ${result}${behind === null ? "" : `, behind ${behind}`}${digests}\n`;
}
