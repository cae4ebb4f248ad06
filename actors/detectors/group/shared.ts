/** What makes a group of children; the numbers of the group rules. */
export interface GroupLimits {
  readonly limitShare: number;
  readonly countMin: number;
  readonly clearShare: number;
}

/** How many of so many children are a group; infinite where there is none to be. */
export function groupSize(children: number, { limitShare, countMin }: GroupLimits): number {
  if (children < 2) return Number.POSITIVE_INFINITY;
  return children <= countMin ? children : Math.max(countMin, Math.ceil(limitShare * children - 1e-9));
}

/** Whether so few are left that the group is over. */
export function isOver(left: number, children: number, { clearShare }: GroupLimits): boolean {
  return left === 0 || left < clearShare * children;
}
