import { alertLine } from "../engine/alert_line.ts";
import type { Emission } from "../engine/emission.ts";
import { Mark } from "../engine/ids.ts";
import type { Sink } from "../engine/sink.ts";

/** `write` takes text to show, line ends included. `color`: whether it may be coloured; the caller has looked at flags and terminal. */
export interface TerminalOptions {
  readonly name: string;
  readonly write: (text: string) => void;
  readonly color: boolean;
}

/** A line for people for each alert event; curated rows are not shown. After a crash a line may be shown twice: a terminal keeps nothing. */
export function terminal({ name, write, color }: TerminalOptions): Sink {
  return {
    name,
    async write(emissions: readonly Emission[]): Promise<Mark> {
      const lines = emissions.map((emission) =>
        emission.stream === "alerts" ? `${alertLine(emission.event, emission.sequence, color)}\n` : "",
      );
      const text = lines.join("");
      if (text !== "") write(text);
      return Mark("");
    },
    close: async () => {},
  };
}
