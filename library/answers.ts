import type { CellValue, Severity } from "../engine/emission.ts";
import type { ActorId } from "../engine/ids.ts";

/** Times of a question, as they are typed on the command line: ISO 8601, a date of the grid zone, `now`, a span back (`6h`). */
export interface Times {
  readonly asOf?: string;
  readonly knownAt?: string;
}

/** Values by name; instants are ISO text. */
export type Cells = Readonly<Record<string, CellValue>>;

/** One actor: what `inspect --json` prints. */
export interface Inspection {
  readonly id: string;
  readonly kind: string;
  readonly state: {
    readonly status: string | null;
    /** Of the state's shape. */
    readonly version: number;
    readonly attributes: Cells;
    readonly latest: Cells | null;
    readonly rolling: Cells | null;
  };
  /** Kind -> the actor it is linked to. */
  readonly links: Readonly<Record<string, ActorId>>;
  readonly episodes: readonly {
    readonly alertId: string;
    readonly rule: string;
    readonly severity: Severity;
    readonly status: string;
    readonly startsAt: string;
    readonly endsAt: string | null;
  }[];
  readonly openAlerts: readonly string[];
  /** Feed -> latest event time that was on time. */
  readonly clock: Readonly<Record<string, string | null>>;
  readonly counts: Readonly<Record<"accepted" | "duplicates" | "late" | "quarantined" | "conflicts" | "alerts", number>>;
}

/** One version of an actor: a row of `history --json`. Valid times are civil dates or instants, known times are instants. */
export interface HistoryRow {
  readonly version: number;
  readonly validFrom: string;
  readonly validTo: string | null;
  readonly knownFrom: string;
  readonly knownTo: string | null;
  readonly isCurrent: boolean;
  readonly deleted: boolean;
  readonly attributes: Cells;
}

/** What a drain did, and what the state holds: `run --drain --json`. */
export interface Summary {
  readonly feeds: Readonly<Record<string, Readonly<Record<"read" | "accepted" | "duplicates" | "late" | "quarantined", number>>>>;
  readonly actors: Readonly<Record<string, number>>;
  readonly alerts: Readonly<Record<string, number>>;
  readonly curated: Readonly<Record<string, number>>;
  readonly digest: string;
  readonly seconds: number;
}

/** Which events are told, and from where on. All filters that are given must hold. Without a place: those that come from now on. */
export interface Subscription {
  /** `major`: exactly; `major+`: and worse. */
  readonly severity?: string;
  /** An actor: its own alerts, and those of all below it. */
  readonly under?: string;
  /** A rule's id, or a pattern with `*`. */
  readonly rule?: string;
  readonly kind?: string;
  /** `open`: neither cleared nor retracted. */
  readonly status?: string;
  readonly origin?: string;
  /** First sequence, inclusive; 0: the beginning of what is kept. */
  readonly from?: number;
  /** Those behind this sequence. */
  readonly after?: number;
  /** Told when the place asked for is not kept any more. Without it the iteration throws: nothing is left out in silence. */
  readonly onGap?: (gap: { readonly requested: number; readonly firstAvailable: number }) => void;
}
