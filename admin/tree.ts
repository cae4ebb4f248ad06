import { type ActorId, keyOf, kindOf } from "../engine/ids.ts";
import { openAlerts } from "./actor_facts.ts";
import { CommandError } from "./errors.ts";
import { colored, type Screen } from "./format.ts";
import { printable } from "./printable.ts";
import { type Actor, findActor, readActors, type View } from "./reader.ts";

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

/** The actor and what is below it, `depth` levels deep. Throws NOT_FOUND and USAGE. */
export function tree(view: View, idText: string, depthText: string, limit: number): Tree {
  const depth = depthOf(depthText);
  const top = findActor(view, idText);
  const open = new Map<ActorId, number>();
  const below = new Map<ActorId, ActorId[]>();
  for (const actor of readActors(view)) {
    open.set(actor.id, openAlerts(actor.episodes));
    const above = parentOf(actor);
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

function parentOf({ id, links }: Actor): ActorId | null {
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
