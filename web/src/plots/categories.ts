import type { Choice } from "./brushing.ts";

/** The value of a parameter of choices that a label stands for: words stand for themselves, all else is JSON. */
export function valueOfLabel(values: readonly unknown[], label: string): Choice {
  for (const value of values) {
    if (typeof value === "string" && value === label) return value;
    if (typeof value === "number" && label.trim() !== "" && Number(label) === value) return value;
    if ((typeof value === "boolean" || value === null) && JSON.stringify(value) === label) return value;
  }
  // A value that the space has no more: as the others are.
  const numbers = values.length > 0 && values.every((value) => typeof value === "number");
  return numbers && Number.isFinite(Number(label)) ? Number(label) : label;
}
