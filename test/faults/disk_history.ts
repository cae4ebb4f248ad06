import { dirname } from "node:path";
import type { Argument, SystemCall } from "./system_calls.ts";

/** A change of a file's bytes. `durableUs`: when it had surely reached the disk; Infinity: never. */
export interface Change {
  readonly beganUs: number;
  readonly durableUs: number;
  /** Null: the file was cut, or made longer, to `at` bytes. */
  readonly bytes: Buffer | null;
  readonly at: number;
}

/** A change of a directory: a name that from then on means this file, or none. */
export interface Naming {
  readonly beganUs: number;
  readonly durableUs: number;
  readonly path: string;
  /** Null: the name is gone. */
  readonly file: number | null;
}

/** What the process says when something is stored: its number, on a line. */
const ACKNOWLEDGED = /^\d+\n$/;

/** What a process did to the files of one directory, and what it acknowledged meanwhile. */
export interface DiskHistory {
  /** By the number of the file: a file keeps it when it is renamed. */
  readonly changes: ReadonlyMap<number, readonly Change[]>;
  readonly namings: readonly Naming[];
  readonly said: readonly { readonly atUs: number; readonly text: string }[];
  readonly beganUs: number;
  readonly endedUs: number;
}

interface Draft<T> {
  readonly it: T;
  durableUs: number;
}

/**
 * Reads what a process did to the files in `dir` from its calls. A change is durable once a sync of its file has ended that began after it, or with
 * the write if the file was opened so; a name once its directory was synced. `forgets`: paths whose syncs count for nothing.
 */
export function diskHistory(calls: readonly SystemCall[], dir: string, forgets: (path: string) => boolean = () => false): DiskHistory {
  const names = new Map<string, number>();
  const open = new Map<string, { file: number; path: string; position: number; syncs: boolean }>();
  const changes = new Map<number, Draft<Omit<Change, "durableUs">>[]>();
  const namings: Draft<Omit<Naming, "durableUs">>[] = [];
  const said: { atUs: number; text: string }[] = [];
  const inside = (path: string): boolean => dirname(path) === dir;

  const name = (beganUs: number, path: string, file: number | null): void => {
    if (file === null) names.delete(path);
    else names.set(path, file);
    namings.push({ it: { beganUs, path, file }, durableUs: Number.POSITIVE_INFINITY });
  };
  const change = (call: SystemCall, file: number, bytes: Buffer | null, at: number, syncs: boolean): void => {
    const list = changes.get(file) ?? [];
    changes.set(file, list);
    list.push({ it: { beganUs: call.beganUs, bytes, at }, durableUs: syncs ? call.endedUs : Number.POSITIVE_INFINITY });
  };
  const settle = (drafts: readonly Draft<{ readonly beganUs: number }>[], sync: SystemCall): void => {
    for (const draft of drafts) if (draft.it.beganUs < sync.beganUs) draft.durableUs = Math.min(draft.durableUs, sync.endedUs);
  };

  for (const call of calls) {
    if (call.result < 0) continue;
    const [first, second, third, fourth] = call.args;
    switch (call.name) {
      case "openat": {
        const path = textOf(second);
        if (!inside(path)) break;
        const flags = textOf(third);
        const known = names.get(path);
        const file = known ?? changes.size + 1;
        if (known === undefined) {
          changes.set(file, []);
          name(call.beganUs, path, file);
        } else if (flags.includes("O_TRUNC")) change(call, file, null, 0, false);
        open.set(`${call.result} ${path}`, { file, path, position: 0, syncs: flags.includes("SYNC") });
        break;
      }
      case "lseek": {
        const opened = open.get(openedAs(first));
        if (opened !== undefined) opened.position = call.result;
        break;
      }
      case "pwrite64":
      case "pwritev":
      case "write":
      case "writev": {
        const bytes = Buffer.concat(call.args.filter((one) => Buffer.isBuffer(one)));
        const opened = open.get(openedAs(first));
        const text = bytes.toString();
        if (fdOf(first) === 1 && ACKNOWLEDGED.test(text)) said.push({ atUs: call.endedUs, text }); // Other programs that it starts write there, too.
        if (opened === undefined) break;
        const isPlaced = call.name.startsWith("p");
        const at = isPlaced ? Number(call.name === "pwrite64" ? fourth : call.args.at(-1)) : opened.position;
        if (!isPlaced) opened.position += call.result;
        change(call, opened.file, bytes.subarray(0, call.result), at, opened.syncs && !forgets(opened.path));
        break;
      }
      case "ftruncate": {
        const opened = open.get(openedAs(first));
        if (opened !== undefined) change(call, opened.file, null, Number(second), false);
        break;
      }
      case "fsync":
      case "fdatasync": {
        const path = pathOf(first);
        if (path === dir) settle(namings, call);
        const opened = open.get(openedAs(first));
        if (opened !== undefined && !forgets(opened.path)) settle(changes.get(opened.file) ?? [], call);
        break;
      }
      case "rename": {
        const file = names.get(textOf(first));
        if (file === undefined || !inside(textOf(second))) break;
        name(call.beganUs, textOf(second), file); // The new name, and with it the end of the old one: one step on the disk, too.
        names.delete(textOf(first));
        break;
      }
      case "link": {
        const file = names.get(textOf(first));
        if (file !== undefined && inside(textOf(second))) name(call.beganUs, textOf(second), file);
        break;
      }
      case "unlink":
        if (names.has(textOf(first))) name(call.beganUs, textOf(first), null);
        break;
    }
  }
  const whole = <T>({ it, durableUs }: Draft<T>): T & { readonly durableUs: number } => ({ ...it, durableUs });
  return {
    changes: new Map([...changes].map(([file, drafts]) => [file, drafts.map(whole)])),
    namings: namings.map(whole),
    said,
    beganUs: calls[0]?.beganUs ?? 0,
    endedUs: calls.at(-1)?.endedUs ?? 0,
  };
}

function textOf(argument: Argument | undefined): string {
  return typeof argument === "string" ? argument : Buffer.isBuffer(argument) ? argument.toString() : "";
}

function fdOf(argument: Argument | undefined): number {
  return typeof argument === "object" && "fd" in argument ? argument.fd : -1;
}

/** A number may be closed by one thread while another one gets it anew: only with its path it says which file is meant. */
function openedAs(argument: Argument | undefined): string {
  return `${fdOf(argument)} ${pathOf(argument)}`;
}

function pathOf(argument: Argument | undefined): string {
  return typeof argument === "object" && "path" in argument ? argument.path : "";
}
