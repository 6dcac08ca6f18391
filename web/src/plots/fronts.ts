type Goal = "minimize" | "maximize" | number;

/**
 * The edge of what a front of two objectives dominates, as the corners of a staircase. Where an objective approaches a
 * number there is no such edge: none is drawn.
 */
export function frontLine(points: readonly [number, number][], goalX: Goal, goalY: Goal): [number, number][] {
  if (typeof goalX === "number" || typeof goalY === "number") return [];
  const sorted = points
    .filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  // Between two members the worse of both coordinates is reached: along x first where small x is good.
  return sorted.flatMap(([x, y], at): [number, number][] => {
    const next = sorted[at + 1];
    if (next === undefined) return [[x, y]];
    return [[x, y], goalX === "minimize" ? [next[0], y] : [x, next[1]]];
  });
}

/** The corners of a line that holds each value until the next, and the last one until `end`. */
export function stairs(points: readonly [number, number][], end: number): [number, number][] {
  return points.flatMap(([x, y], at): [number, number][] => {
    const next = points[at + 1];
    return [
      [x, y],
      [next === undefined ? Math.max(end, x) : next[0], y],
    ];
  });
}
