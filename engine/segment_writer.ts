import type { Commit } from "./commit.ts";
import { type Ledger, type SegmentKind, segmentName, segmentsOf } from "./ledger.ts";
import { append, createSegment, type Draft, openSegment, type Segment } from "./segment_file.ts";

/** Named points at which a test may end the process. */
export type SegmentPoint = "create segment" | "segment created" | "write segment" | "segment written" | "segment synced";

/** The ends of journal and log, to which each commit appends. */
export interface SegmentWriter {
  /** Appends parts and entries, if there are any, and syncs. Resolves with the new lengths: name -> bytes. */
  write(commit: Pick<Commit, "parts" | "log">): Promise<Map<string, number>>;
  /** Bytes of the journal segment that is being appended to. */
  journalBytes(): number;
  /** Closes that segment: what comes goes into a new one. Returns its name and length. */
  freezeJournal(): Promise<readonly [name: string, bytes: number]>;
  /** Closes the segment of a kind that is being appended to, if it is the one of this name. */
  leave(kind: SegmentKind, name: string): Promise<void>;
  close(): Promise<void>;
}

const KINDS: readonly SegmentKind[] = ["journal", "alerts", "curated"];

export async function segmentWriter(
  dir: string,
  ledger: Ledger,
  segmentBytes: number,
  passing: (point: SegmentPoint) => void,
): Promise<SegmentWriter> {
  const active: Record<SegmentKind, Segment | null> = { journal: null, alerts: await last("alerts"), curated: await last("curated") };
  let nextJournal = ledger.journalStart;

  async function last(kind: SegmentKind): Promise<Segment | null> {
    const [name, , bytes] = segmentsOf(ledger, kind).at(-1) ?? [];
    return name === undefined || bytes === undefined ? null : openSegment(dir, name, bytes);
  }
  const closeSegment = async (kind: SegmentKind): Promise<void> => {
    await active[kind]?.handle.close();
    active[kind] = null;
  };
  /** The segment to append to. A full one is left behind; the journal has one until it is frozen. */
  const segmentOf = async (kind: SegmentKind, first: number): Promise<Segment> => {
    const current = active[kind];
    if (current !== null && (kind === "journal" || current.lengthBytes < segmentBytes)) return current;
    await closeSegment(kind);
    passing("create segment");
    const created = await createSegment(dir, segmentName(kind, kind === "journal" ? nextJournal++ : first));
    passing("segment created");
    active[kind] = created;
    return created;
  };
  const appendDraft = async (segment: Segment, draft: Draft): Promise<void> => {
    passing("write segment");
    await append(segment, draft);
    passing("segment written");
    await segment.handle.datasync();
    passing("segment synced");
  };

  return {
    async write({ parts, log }) {
      const work: Promise<void>[] = [];
      const written: Segment[] = [];
      const begin = async (kind: SegmentKind, draft: Draft, first: number): Promise<void> => {
        draft.closeBlock();
        if (draft.length === 0) return;
        const segment = await segmentOf(kind, first);
        written.push(segment);
        work.push(appendDraft(segment, draft));
      };
      const { alerts, curated } = log.streams;
      await begin("journal", parts, 0);
      await begin("alerts", alerts, alerts.first);
      await begin("curated", curated, curated.first);
      await allDone(work);
      return new Map(written.map(({ name, lengthBytes }) => [name, lengthBytes]));
    },
    journalBytes: () => active.journal?.lengthBytes ?? 0,
    async freezeJournal() {
      const { name, lengthBytes } = active.journal as Segment;
      await closeSegment("journal");
      return [name, lengthBytes];
    },
    async leave(kind, name) {
      if (active[kind]?.name === name) await closeSegment(kind);
    },
    async close() {
      await allDone(KINDS.map(closeSegment));
    },
  };
}

/** Waits for all, whichever fail: nothing may still be under way when the failure is reported. */
async function allDone(work: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) if (outcome.status === "rejected") throw outcome.reason;
}
