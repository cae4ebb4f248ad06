import type { RowTable } from "../engine/commit.ts";
import type { Engine } from "../engine/engine.ts";
import type { ActorId } from "../engine/ids.ts";
import type { Stream as LogStream } from "../engine/sink.ts";
import type { RangeStart, Store } from "../engine/store.ts";
import type { Asker } from "./asker.ts";
import { asCommandError } from "./errors.ts";
import type { Grid, StateConfig } from "./state_view.ts";
import { knownOf } from "./state_view.ts";
import type { Answer, Known, Query } from "./verb.ts";
import { verbNamed } from "./verbs.ts";

/** What a running engine knows of single actors: the parts in its memory, the rows and the log of its store. It lists no actors. */
export function liveKnown(
  config: Omit<StateConfig, "stateDir" | "limits">,
  engine: Pick<Engine, "world">,
  store: Store,
  grid?: Grid,
): Known {
  const reading = {
    load: (id: ActorId) => engine.world.population.parts(id),
    get: (table: RowTable, key: string) => store.get(table, key),
    range: (table: RowTable, prefix: string, start?: RangeStart) => store.range(table, prefix, start),
    actors: () => [],
    logStart: (stream: LogStream) => store.logStart(stream),
    get nextSequence() {
      return store.nextSequence;
    },
    readLog: (stream: LogStream, from: number, bytesMax: number) => store.readLog(stream, from, bytesMax),
  };
  return knownOf(config, reading, grid);
}

/**
 * Asks a running engine. What is quick is answered from memory, between two batches, so that it is what is stored at that moment. All else, and
 * what was not found so (there may be something like it), is asked of `readers`, which hold nothing up.
 */
export function liveAsker(engine: Pick<Engine, "look">, known: Known, readers: Asker): Asker {
  return {
    async ask(name, query, signal) {
      const verb = verbNamed(name);
      if (verb.stream !== undefined) return collected(livePieces(name, known, query, signal, readers));
      if (verb.isQuick?.(query) !== true) return readers.ask(name, query, signal);
      try {
        return await engine.look(() => verb.ask(known, query));
      } catch (error) {
        if (asCommandError(error).code !== "NOT_FOUND") throw error;
        return readers.ask(name, query, signal);
      }
    },
  };
}

/** The pieces of a question that is answered over a time. An actor that is not there is looked for by `readers`, who say what may have been meant. */
export async function* livePieces(
  name: string,
  known: Known,
  query: Query,
  signal: AbortSignal,
  readers: Asker,
): AsyncGenerator<unknown, void> {
  const { stream } = verbNamed(name);
  if (stream === undefined) return;
  try {
    yield* stream.pieces(known, query, signal);
  } catch (error) {
    if (asCommandError(error).code !== "NOT_FOUND") throw error;
    await readers.ask("inspect", query, signal);
    throw error;
  }
}

async function collected(pieces: AsyncIterable<unknown>): Promise<Answer> {
  const all: unknown[] = [];
  for await (const piece of pieces) all.push(piece);
  return { value: all };
}
