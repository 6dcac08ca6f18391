import assert from "node:assert/strict";
import { test } from "node:test";
import { familyTree } from "./familytree.ts";
import type { Detail } from "./types.ts";

const relative = (number: number) => ({ number, state: "complete", value: number, step: 1 });

function detail(ancestors: number[], children: number[], count = children.length): Detail {
  const lineage = {
    ancestors: ancestors.map(relative),
    children: children.map(relative),
    of_children: count,
  };
  return { lineage, record: { number: 50, state: "running", value: null } } as unknown as Detail;
}

void test("a trial without kin has no tree", () => assert.equal(familyTree(detail([], [])), null));

void test("ancestors stand on the left, the oldest first, children on the right", () => {
  const tree = familyTree(detail([40, 30], [60, 61, 62]));
  assert.ok(tree);
  assert.deepEqual(
    tree.kin.map((one) => [one.number, one.column, one.row, one.me]),
    [
      [30, 0, 1, false],
      [40, 1, 1, false],
      [50, 2, 1, true],
      [60, 3, 0, false],
      [61, 3, 1, false],
      [62, 3, 2, false],
    ],
  );
  assert.deepEqual(tree.links, [
    [0, 1],
    [1, 2],
    [2, 3],
    [2, 4],
    [2, 5],
  ]);
  assert.deepEqual([tree.columns, tree.rows, tree.more], [4, 3, ""]);
});

void test("a large family is cut, and says so", () => {
  const numbers = Array.from({ length: 20 }, (_, at) => at);
  const tree = familyTree(detail(numbers, numbers, 700));
  assert.equal(tree?.kin.length, 4 + 1 + 8);
  assert.equal(tree?.more, "and 16 earlier ancestors, 692 more clones");
});
