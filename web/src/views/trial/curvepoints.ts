import { drawable, fromWire } from "../../plots/marks.ts";
import type { Curve } from "./types.ts";

/** What the curves are drawn over. */
export type Over = "step" | "time";

/** A place on the axes; of nulls: the line breaks there. */
export type Point = [number, number] | [null, null];

/** The points of one metric; what has no place on the axes is left out, so that a line does not lie. */
export function points(curve: Curve, name: string, over: Over, logX: boolean, logY: boolean): Point[] {
  const found = curve.metrics.find((metric) => metric.name === name);
  if (found === undefined) return [];
  const at = over === "step" ? found.steps : found.seconds;
  const line: Point[] = [];
  let last = Number.NEGATIVE_INFINITY;
  at.forEach((place, i) => {
    const x = drawable(place, logX);
    const y = drawable(fromWire(found.values[i]), logY);
    if (x === null || y === null) return;
    // An attempt that began anew is a line of its own.
    if (x < last) line.push([null, null]);
    line.push([x, y]);
    last = x;
  });
  return line;
}
