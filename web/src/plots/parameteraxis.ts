import type { components } from "../api/schema.ts";
import { isRange, type Choice, type Part } from "./brushing.ts";
import type { Span } from "./marks.ts";

/** How a parameter is drawn, as the views say it. */
export type ParameterAxis = components["schemas"]["ParameterAxis"];

/** The value of the category that a label stands for. */
export type ValueOf = (label: string) => Choice;

const SPREAD = 0.5;

/** Where a value is on the drawn axis; marks of a category are spread about its place, each trial always the same way. */
export function placed(axis: ParameterAxis, value: number, trial: number): number {
  if (axis.kind === "category") return value + (share(trial) - 0.5) * SPREAD;
  return axis.scale === "reverselog" ? -Math.log10(1 - value) : value;
}

// Multiplicative hashing (Knuth): neighbours come to lie far apart.
function share(trial: number): number {
  return (Math.imul(trial + 1, 2654435761) >>> 0) / 2 ** 32;
}

/** The value at a place of the drawn axis. */
export function valueAt(axis: ParameterAxis, place: number): number {
  return axis.kind !== "category" && axis.scale === "reverselog" ? 1 - 10 ** -place : place;
}

/** Whether the drawn axis is a log axis. */
export function isLog(axis: ParameterAxis): boolean {
  return axis.kind !== "category" && axis.scale === "log";
}

/** What a brush over a stretch of the drawn axis selects. */
export function brushedPart(axis: ParameterAxis, span: Span | null, valueOf: ValueOf): Part | null {
  if (span === null) return null;
  if (axis.kind !== "category") return { low: valueAt(axis, span[0]), high: valueAt(axis, span[1]) };
  const labels = axis.categories ?? [];
  const within = labels.filter((_, at) => at + SPREAD / 2 >= span[0] && at - SPREAD / 2 <= span[1]);
  return { among: within.map(valueOf) };
}

/** The stretch of the drawn axis that a part of the selection covers; null where it is no one stretch. */
export function partSpan(axis: ParameterAxis, part: Part | undefined, valueOf: ValueOf): Span | null {
  if (part === undefined) return null;
  if (isRange(part)) {
    if (axis.kind === "category") return null;
    return [place(axis, part.low ?? axis.low), place(axis, part.high ?? axis.high)];
  }
  const labels = axis.categories ?? [];
  const at = labels.flatMap((label, index) => (part.among.includes(valueOf(label)) ? [index] : []));
  const [first, last] = [at[0], at.at(-1)];
  if (axis.kind !== "category" || first === undefined || last === undefined) return null;
  return last - first + 1 === at.length ? [first - 0.4, last + 0.4] : null;
}

function place(axis: ParameterAxis, value: number): number {
  return axis.scale === "reverselog" ? -Math.log10(1 - value) : value;
}

/** The ends of the drawn axis. */
export function ends(axis: ParameterAxis): Span {
  if (axis.kind === "category") return [-0.5, Math.max(0, (axis.categories ?? []).length - 1) + 0.5];
  const [low, high] = [place(axis, axis.low), place(axis, axis.high)];
  if (high > low) return [low, high];
  return isLog(axis) ? [low / 2, low * 2] : [low - 0.5, high + 0.5];
}
