import type { ChangedRow } from "./commit.ts";

interface Group {
  readonly values: Map<string, number>;
  readonly changed: Set<string>;
}

/**
 * Counters that live in the store (table `count`), so that they go on after a restart. A counter has a group (`feed smart_meter`) and a name in it
 * (`read`); its key is both, joined by a space.
 */
export class Counters {
  readonly #groups = new Map<string, Group>();

  restore(key: string, value: Uint8Array): void {
    const space = key.lastIndexOf(" ");
    this.#group(key.slice(0, space)).values.set(key.slice(space + 1), Number(Buffer.from(value).toString("latin1")));
  }

  add(group: string, name: string, by: number): void {
    if (by === 0) return;
    const { values, changed } = this.#group(group);
    values.set(name, (values.get(name) ?? 0) + by);
    changed.add(name);
  }

  /** The counters of a group by name, in the order of names. */
  group(group: string): Readonly<Record<string, number>> {
    const values = [...(this.#groups.get(group)?.values ?? [])];
    return Object.fromEntries(values.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Names of all groups. */
  groups(): Iterable<string> {
    return this.#groups.keys();
  }

  takeChanges(into: ChangedRow[]): void {
    for (const [group, { values, changed }] of this.#groups) {
      for (const name of changed)
        into.push({ table: "count", key: `${group} ${name}`, value: Buffer.from(String(values.get(name)), "latin1") });
      changed.clear();
    }
  }

  #group(name: string): Group {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const fresh = { values: new Map<string, number>(), changed: new Set<string>() };
    this.#groups.set(name, fresh);
    return fresh;
  }
}
