import { hash } from "node:crypto";

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** The full id of an actor, `kind/key`: `meter/SM-N-00042`. At most 128 bytes of printable text (the feeds' decode sees to it). */
export type ActorId = Branded<string, "ActorId">;

/** Joins a kind and a business key. */
export function ActorId(kind: string, key: string): ActorId {
  return `${kind}/${key}` as ActorId;
}

/** An id that was made by `ActorId` and comes back as text: from a key of the store, from a command. */
export function actorIdFrom(text: string): ActorId {
  return text as ActorId;
}

/** The kind in front of the first slash. */
export function kindOf(id: ActorId): string {
  return id.slice(0, id.indexOf("/"));
}

/** The business key behind the first slash. */
export function keyOf(id: ActorId): string {
  return id.slice(id.indexOf("/") + 1);
}

/** The name of a source in the configuration. Positions are kept under it, so it is for ever. */
export type SourceId = Branded<string, "SourceId">;
export function SourceId(name: string): SourceId {
  return name as SourceId;
}

/** Where to resume one partition of a source. Opaque to the engine: only the source that made it reads it. */
export type Position = Branded<string, "Position">;
export function Position(text: string): Position {
  return text as Position;
}

/** How far a sink has got, in words only the sink understands. */
export type Mark = Branded<string, "Mark">;
export function Mark(text: string): Mark {
  return text as Mark;
}

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** 16 characters of Crockford base 32: the first 80 bits of the SHA-256 of the facts joined by LF. */
function shortHash(facts: readonly (string | number)[]): string {
  const hex = hash("sha256", facts.join("\n"), "hex");
  return crockford(Number.parseInt(hex.slice(0, 10), 16)) + crockford(Number.parseInt(hex.slice(10, 20), 16));
}

/** Eight characters for 40 bits. */
function crockford(bits: number): string {
  let text = "";
  let left = bits;
  for (let n = 0; n < 8; n += 1) {
    text = CROCKFORD.charAt(left % 32) + text;
    left = Math.floor(left / 32);
  }
  return text;
}

/** The id of an alert, made from what it is about, so that a replay makes it again. `onsetMs` is epoch milliseconds. */
export function alertId(actor: ActorId, rule: string, onsetMs: number): string {
  return `ALR-${shortHash([actor, rule, onsetMs])}`;
}

/** The id of a quarantined record. */
export function quarantineId(source: SourceId, position: string, reason: string): string {
  return `Q-${shortHash([source, position, reason])}`;
}

/** 32 hex digits of SHA-256 over the facts joined by LF: ids of curated rows and of history versions. */
export function longHash(facts: readonly (string | number)[]): string {
  return hash("sha256", facts.join("\n"), "hex").slice(0, 32);
}
