import { type ActorId, keyOf, kindOf } from "../engine/ids.ts";
import { openAlerts } from "./actor_facts.ts";
import { alertEvents } from "./alerts.ts";
import { CommandError } from "./errors.ts";
import { colored, type Screen } from "./format.ts";
import { Past } from "./inspect.ts";
import { printable } from "./printable.ts";
import { type Actor, engineClockMs, findActor, readActors, type View } from "./reader.ts";
import { timeMs } from "./time.ts";

/** An actor and what hangs on it by the links in force, in order of ids. */
export interface TreeNode {
  readonly id: string;
  readonly kind: string;
  readonly openAlerts: number;
  readonly children: readonly TreeNode[];
}

/** A tree of at most `limit` children to each actor; `cut`: the most that one actor had, where these were more. */
export interface Tree {
  readonly root: TreeNode;
  readonly cut: number | null;
}

/** What an actor hangs on: the first of these that it is linked to. */
const ABOVE: readonly string[] = ["transformer", "meter", "substation", "customer", "region"];
/** From below to above: a link downwards is none to a parent. Children stand in the order of the grid. */
const LEVELS: readonly string[] = ["bill", "customer", "meter", "plant", "transformer", "substation", "region"];
const DEPTH_MAX = 8;

/** Which tree, as it is typed. */
export interface TreeQuery {
  readonly id: string;
  readonly depth: string;
  /** By the links and the alerts of that time; left out: by those of now. */
  readonly asOf?: string | undefined;
}

/** The actor and what is below it, `depth` levels deep. Throws NOT_FOUND and USAGE. */
export async function tree(view: View, { id: idText, depth: depthText, asOf }: TreeQuery, limit: number): Promise<Tree> {
  const depth = depthOf(depthText);
  const top = findActor(view, idText);
  const atMs = asOf === undefined ? null : timeMs(asOf, engineClockMs(view), "--as-of");
  const past = atMs === null ? null : new Past(view, atMs, null);
  const openThen = atMs === null ? null : await openAt(view, atMs);
  const open = new Map<ActorId, number>();
  const below = new Map<ActorId, ActorId[]>();
  for (const actor of readActors(view)) {
    open.set(actor.id, openThen === null ? openAlerts(actor.episodes) : (openThen.get(actor.id) ?? 0));
    const above = parentOf(actor.id, past === null ? actor.links : past.links(actor));
    if (above === null) continue;
    const siblings = below.get(above);
    if (siblings === undefined) below.set(above, [actor.id]);
    else siblings.push(actor.id);
  }
  let cut: number | null = null;
  const node = (id: ActorId, levels: number): TreeNode => {
    const children = levels === 0 ? [] : [...(below.get(id) ?? [])].sort((a, b) => level(kindOf(b)) - level(kindOf(a)));
    if (children.length > limit) cut = Math.max(cut ?? 0, children.length);
    const shown = children.slice(0, limit).map((child) => node(child, levels - 1));
    return { id: keyOf(id), kind: kindOf(id), openAlerts: open.get(id) ?? 0, children: shown };
  };
  return { root: node(top, depth), cut };
}

/** The tree for people: one actor to a line. */
export function treeText(root: TreeNode, screen: Screen | null): string {
  const lines: string[] = [];
  const add = ({ id, kind, openAlerts: open, children }: TreeNode, lead: string, below: string): void => {
    const alerts = open === 0 ? "" : colored(`  ${open} open`, "yellow", screen);
    lines.push(`${lead}${printable(id)}  ${printable(kind)}${alerts}\n`);
    for (const [n, child] of children.entries()) {
      const isLast = n === children.length - 1;
      add(child, `${below}${isLast ? "└ " : "├ "}`, `${below}${isLast ? "  " : "│ "}`);
    }
  };
  add(root, "", "");
  return lines.join("");
}

/** How many alerts of each actor were open at a time. */
async function openAt(view: View, atMs: number): Promise<ReadonlyMap<ActorId, number>> {
  const open = new Map<string, ActorId>();
  for await (const { event } of alertEvents(view, ({ time }) => Date.parse(time) <= atMs, 1)) {
    const { alertId, status } = event.data;
    if (status === "cleared" || status === "retracted") open.delete(alertId);
    else open.set(alertId, event.subject);
  }
  const counts = new Map<ActorId, number>();
  for (const id of open.values()) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

function parentOf(id: ActorId, links: Actor["links"]): ActorId | null {
  const kind = ABOVE.find((above) => links[above] !== undefined && level(above) > level(kindOf(id)));
  return kind === undefined ? null : (links[kind] ?? null);
}

function level(kind: string): number {
  return LEVELS.indexOf(kind);
}

function depthOf(text: string): number {
  const depth = Number(text);
  if (/^\d{1,2}$/.test(text) && depth <= DEPTH_MAX) return depth;
  throw new CommandError("USAGE", `--depth: "${text}" is no number of levels, 0 to ${DEPTH_MAX}`);
}
