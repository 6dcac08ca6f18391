import { seconds, sixDigits } from "../plots/numbers.ts";

/** A number as it comes over the wire. */
export type Wire = number | string | null | undefined;

/** A number from the wire; null where there is none. */
export function fromWire(value: Wire): number | null {
  return value === null || value === undefined ? null : Number(value);
}

/** A number in six digits; a dash where there is none. */
export function number(value: Wire): string {
  const found = fromWire(value);
  return found === null ? "–" : sixDigits(found);
}

/** Seconds in words. */
export function duration(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : seconds(value);
}

/** A whole number with its thousands set apart. */
export function count(value: number): string {
  return value.toLocaleString("en");
}

/** "1 trial", "2 trials". */
export function counted(value: number, noun: string, many = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : many}`;
}

/** The text with a capital at its beginning, as a heading has it. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** How long ago, in one unit: "3 min", "5 d"; `now` is in milliseconds. */
export function age(iso: string | null | undefined, now: number): string {
  if (!iso) return "–";
  const passed = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (!Number.isFinite(passed)) return "–";
  const units: [number, string][] = [
    [60, "s"],
    [3600, "min"],
    [86400, "h"],
    [86400 * 14, "d"],
    [86400 * 61, "weeks"],
    [86400 * 730, "months"],
    [Number.POSITIVE_INFINITY, "years"],
  ];
  const sizes = [1, 60, 3600, 86400, 604800, 2629800, 31557600];
  const at = units.findIndex(([limit]) => passed < limit);
  return `${Math.floor(passed / (sizes[at] ?? 1))} ${units[at]?.[1] ?? ""}`;
}

/** A moment in the reader's own time zone, to the second. */
export function moment(iso: string | null | undefined): string {
  if (!iso) return "–";
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "–";
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Any JSON value on one line: text as it is, numbers in six digits. */
export function plain(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return value;
  if (typeof value === "number") return sixDigits(value);
  return JSON.stringify(value);
}

/** What an objective is to do: "minimise", "maximise", "come near to 0.95". */
export function goalInWords(goal: string | number | null | undefined): string {
  if (goal === "minimize") return "minimise";
  if (goal === "maximize") return "maximise";
  return typeof goal === "number" ? `come near to ${sixDigits(goal)}` : "";
}

/** The same as a sign beside a metric's name. */
export function goalSign(goal: string | number | null | undefined): string {
  if (goal === "minimize") return "↓";
  if (goal === "maximize") return "↑";
  return typeof goal === "number" ? `→ ${sixDigits(goal)}` : "";
}
