import type { components } from "../../api/schema.ts";
import { sixDigits, seconds } from "../../plots/numbers.ts";
import { moment } from "../../shared/format.ts";

/** A column of the trial table. */
export type ColumnInfo = components["schemas"]["ColumnInfo"];
/** A trial as the table has it. */
export type TrialRow = components["schemas"]["TrialRow"];

/** Columns that stay where they are while the others scroll. */
export const PINNED: readonly string[] = ["number", "state"];

const MOST_PARAMETERS = 12;

/** What a table shows until somebody chooses: the outcome, what was searched, and how long it took. */
export function usualColumns(infos: readonly ColumnInfo[]): string[] {
  const searched = infos.filter((info) => info.group === "params").slice(0, MOST_PARAMETERS);
  const several = infos.some((info) => info.name === "value")
    ? []
    : infos.filter((info) => info.group === "metrics" && info.goal !== null && info.goal !== undefined);
  const has = (name: string) => infos.some((info) => info.name === name);
  return [
    ...PINNED,
    ...["value"].filter(has),
    ...several.map((info) => info.name),
    ...searched.map((info) => info.name),
    "steps",
    "duration",
  ];
}

/** The columns to show: those that were chosen and exist, the pinned ones first. */
export function shownColumns(infos: readonly ColumnInfo[], chosen: readonly string[]): ColumnInfo[] {
  const names = chosen.length === 0 ? usualColumns(infos) : chosen;
  const known = new Map(infos.map((info) => [info.name, info]));
  const order = new Set([...PINNED, ...names]);
  return [...order].flatMap((name) => known.get(name) ?? []);
}

/** The names with one of them moved by so many places; pinned ones stay in front. */
export function moved(names: readonly string[], name: string, by: number): string[] {
  const from = names.indexOf(name);
  const first = names.filter((other) => PINNED.includes(other)).length;
  const to = Math.min(names.length - 1, Math.max(first, from + by));
  if (from < first || to === from) return [...names];
  const rest = names.filter((other) => other !== name);
  return [...rest.slice(0, to), name, ...rest.slice(to)];
}

/** The next order when a column's head is pressed: up, down, and back to the usual one. */
export function nextSort(sort: string, name: string): string {
  if (sort === name) return `-${name}`;
  return sort === `-${name}` ? "" : name;
}

/** How a column is sorted, as assistive technology says it. */
export function sorted(sort: string, name: string): "ascending" | "descending" | "none" {
  if (sort === name) return "ascending";
  return sort === `-${name}` ? "descending" : "none";
}

/** The width that a column begins with. */
export function usualWidth(info: ColumnInfo): number {
  switch (info.type) {
    case "time":
      return 160;
    case "text":
      return 320;
    case "tags":
      return 140;
    default:
      if (info.name === "number") return 86;
      if (info.name === "state") return 112;
      return Math.min(220, Math.max(104, 34 + Math.ceil(info.label.length * 7.6))); // so that the head can be read
  }
}

/** Whether its values stand to the right, as numbers do. */
export function isNumeric(info: ColumnInfo): boolean {
  return ["number", "integer", "seconds"].includes(info.type);
}

/** What a trial has in a column. */
export function cellValue(row: TrialRow, name: string): unknown {
  if (name.startsWith("params.")) return row.params[name.slice(7)];
  if (name.startsWith("metrics.")) return row.values[name.slice(8)];
  return row[name as keyof TrialRow];
}

/** The text of a cell; "" where there is no value. */
export function cellText(row: TrialRow, info: ColumnInfo): string {
  const value = cellValue(row, info.name);
  if (value === null || value === undefined) return "";
  if (info.type === "time") return moment(value as string);
  if (info.type === "seconds") return seconds(value as number);
  if (info.name === "number") return String(row.number);
  if (Array.isArray(value) && info.type === "tags") return value.map(String).join(", ");
  if (typeof value === "number") return sixDigits(value);
  if (typeof value !== "string") return JSON.stringify(value);
  if (info.type === "number" && ["NaN", "Infinity", "-Infinity"].includes(value))
    return sixDigits(Number(value));
  return value.length > 300 ? `${value.slice(0, 300)}…` : value;
}

/** The first rows of the pages, `size` rows each, that hold the rows from `first` to `last`. */
export function pagesOf(first: number, last: number, size: number): number[] {
  const pages: number[] = [];
  for (let at = Math.floor(Math.max(0, first) / size); at * size <= last; at += 1) pages.push(at * size);
  return pages;
}

/** Where a row that stood at `index` stands now: the nearest place of that trial in what is loaded. */
export function placeOf(
  trial: number,
  index: number,
  pages: readonly { offset: number; rows: readonly { number: number }[] }[],
): number | null {
  let found: number | null = null;
  for (const page of pages) {
    const at = page.rows.findIndex((row) => row.number === trial);
    if (at < 0) continue;
    const place = page.offset + at;
    if (found === null || Math.abs(place - index) < Math.abs(found - index)) found = place;
  }
  return found;
}
