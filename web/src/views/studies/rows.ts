import type { components } from "../../api/schema.ts";

/** A study in a line of the list. */
export type Row = components["schemas"]["StudySummary"];

/** What the list can be sorted by. */
export const SORTS = ["name", "state", "trials", "best", "elapsed", "workers", "created"] as const;
export type Sort = (typeof SORTS)[number];

/** What of the list is shown. */
export type Wanted = {
  search: string;
  states: readonly string[];
  tags: readonly string[];
  archived: boolean;
};

const STANDING = ["running", "paused", "interrupted", "failed", "complete"];

/** The column that a word of the address names and whether it falls; the newest come first where it names none. */
export function sortNamed(word: string): { by: Sort; falling: boolean } {
  const by = SORTS.find((sort) => sort === word.replace(/^-/, ""));
  return by === undefined ? { by: "created", falling: true } : { by, falling: word.startsWith("-") };
}

/** The word for the same column the other way round, or for another one the way it is looked at first. */
export function sortNext(word: string, by: Sort): string {
  const now = sortNamed(word);
  if (now.by === by) return now.falling ? by : `-${by}`;
  return by === "name" || by === "state" || by === "best" ? by : `-${by}`;
}

/** The studies that are wanted, in order. Words of the search may stand in name, metric, tags or note, in any order. */
export function chosen(rows: readonly Row[], wanted: Wanted, sort: string): Row[] {
  const words = wanted.search.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (row: Row) => {
    if (row.archived && !wanted.archived) return false;
    if (wanted.states.length > 0 && !wanted.states.includes(row.state)) return false;
    if (!wanted.tags.every((tag) => row.tags.includes(tag))) return false;
    const text = [row.name, row.metric ?? "", row.note, ...row.tags].join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const { by, falling } = sortNamed(sort);
  const key = KEYS[by];
  const turned = falling ? -1 : 1;
  return rows
    .filter(fits)
    .map((row, at) => ({ row, at, key: key(row) }))
    .sort((one, other) => compared(one.key, other.key, turned) || one.at - other.at)
    .map(({ row }) => row);
}

type Key = string | number | null;

const KEYS: Readonly<Record<Sort, (row: Row) => Key>> = {
  name: (row) => row.name.toLowerCase(),
  state: (row) => STANDING.indexOf(row.state),
  trials: (row) => row.trials,
  best: (row) => {
    const best = row.best === null ? Number.NaN : Number(row.best);
    if (!Number.isFinite(best)) return null;
    if (row.goal === "maximize") return -best;
    return typeof row.goal === "number" ? Math.abs(best - row.goal) : best;
  },
  elapsed: (row) => row.elapsed,
  workers: (row) => row.workers,
  created: (row) => (row.created === null ? null : Date.parse(row.created)),
};

/** What is missing comes last, whichever way round. */
function compared(one: Key, other: Key, turned: number): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  if (typeof one === "string" && typeof other === "string") {
    return turned * one.localeCompare(other, "en", { numeric: true });
  }
  return turned * (Number(one) - Number(other));
}

/** All tags there are, the most used first. */
export function tagsOf(rows: readonly Row[]): string[] {
  const uses = new Map<string, number>();
  for (const row of rows) for (const tag of row.tags) uses.set(tag, (uses.get(tag) ?? 0) + 1);
  return [...uses]
    .sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0]))
    .map(([tag]) => tag);
}

/** How many studies stand how. */
export function standing(rows: readonly Row[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const row of rows) found[row.state] = (found[row.state] ?? 0) + 1;
  return found;
}
