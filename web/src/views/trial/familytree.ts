import type { Detail } from "./types.ts";

/** A trial in the drawn tree: `column` 0 is the oldest ancestor shown; `me` is the trial whose page it is. */
export type Kin = { number: number; column: number; row: number; state: string; value: unknown; me: boolean };

/** The tree with its links, by place in `kin`. `more` says what was left out. */
export type Tree = { kin: Kin[]; links: [number, number][]; columns: number; rows: number; more: string };

const MOST_ANCESTORS = 4;
const MOST_CHILDREN = 8;

/** The trial's nearest ancestors, itself and its first children, from left to right; null where it is alone. */
export function familyTree(detail: Detail): Tree | null {
  const { ancestors, children, of_children: count } = detail.lineage;
  if (ancestors.length === 0 && children.length === 0) return null;
  const before = ancestors.slice(0, MOST_ANCESTORS).reverse();
  const after = children.slice(0, MOST_CHILDREN);
  const middle = Math.max(0, (after.length - 1) / 2);
  const kin: Kin[] = before.map((one, column) => ({ ...one, column, row: middle, me: false }));
  const { number, state, value } = detail.record;
  kin.push({ number, state, value, column: before.length, row: middle, me: true });
  after.forEach((one, row) => kin.push({ ...one, column: before.length + 1, row, me: false }));
  const links = before.map((_, at): [number, number] => [at, at + 1]);
  after.forEach((_, at) => links.push([before.length, before.length + 1 + at]));
  const left = [
    ancestors.length > before.length ? `${ancestors.length - before.length} earlier ancestors` : "",
    count > after.length ? `${count - after.length} more clones` : "",
  ].filter((text) => text !== "");
  const more = left.length === 0 ? "" : `and ${left.join(", ")}`;
  return {
    kin,
    links,
    columns: before.length + 1 + (after.length > 0 ? 1 : 0),
    rows: Math.max(1, after.length),
    more,
  };
}
