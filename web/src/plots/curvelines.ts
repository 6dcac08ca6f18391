import { drawable, fromWire } from "./marks.ts";

/** A point of a plot. */
export type Point = [number, number];

/** The points of a curve that have a place on the axes. */
export function placedCurve(
  xs: readonly (number | string)[],
  ys: readonly (number | string)[],
  logX: boolean,
  logY: boolean,
): Point[] {
  return xs.flatMap((one, at): Point[] => {
    const x = drawable(fromWire(one), logX);
    const y = drawable(fromWire(ys[at]), logY);
    return x === null || y === null ? [] : [[x, y]];
  });
}

/** From the least to the most of all; undefined where there is none. */
export function extent(lists: readonly (readonly number[])[]): [number, number] | [undefined, undefined] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const list of lists) {
    for (const value of list) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low > high ? [undefined, undefined] : [low, high];
}
