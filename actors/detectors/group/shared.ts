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

/** Whether so few are left that the group is over: fewer than `clearShare`; of two or three, that had to be all, fewer than half. */
export function isOver(left: number, children: number, { clearShare, countMin }: Omit<GroupLimits, "limitShare">): boolean {
  return left === 0 || left < (children <= countMin ? 0.5 : clearShare) * children;
}
