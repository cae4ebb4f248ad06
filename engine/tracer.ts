import type { ActorId } from "./ids.ts";

/** A message as an actor is given it. `message` belongs to who sent it: what is kept of it is copied. */
export interface Traced {
  readonly actor: ActorId;
  readonly message: { readonly type: string };
  /** The feed whose record, or whose clock, led to it. */
  readonly feed: string;
  readonly position: string;
  readonly late: boolean;
}

export type TraceEar = (traced: Traced) => void;

/** Who listens to the messages of which actors. Nobody does, nearly always. */
export class Tracer {
  #ears: ReadonlyMap<ActorId, readonly TraceEar[]> = new Map();
  isOn = false;

  /** Listens until the returned function is called. An ear must be quick, and must not throw. */
  listen(actor: ActorId, ear: TraceEar): () => void {
    this.#set(actor, [...(this.#ears.get(actor) ?? []), ear]);
    return () =>
      this.#set(
        actor,
        (this.#ears.get(actor) ?? []).filter((other) => other !== ear),
      );
  }

  tell(traced: Traced): void {
    for (const ear of this.#ears.get(traced.actor) ?? []) ear(traced);
  }

  #set(actor: ActorId, ears: readonly TraceEar[]): void {
    const all = new Map(this.#ears);
    if (ears.length === 0) all.delete(actor);
    else all.set(actor, ears);
    this.#ears = all;
    this.isOn = all.size > 0;
  }
}
