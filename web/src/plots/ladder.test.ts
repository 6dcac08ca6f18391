import assert from "node:assert/strict";
import { test } from "node:test";
import type { components } from "../api/schema.ts";
import { decisionsAt, pieces, placeOf, placeText, said } from "./ladder.ts";

void test("the pieces of a rung are those that there are, and sum to who came", () => {
  const rung = { resource: 3, planned: null, came: 9, went_on: 3, stopped: 5, waiting: 0, ended: 1 };
  const found = pieces(rung, { running: "#1", complete: "#2", pruned: "#3" });
  assert.deepEqual(
    found.map((piece) => [piece.kind, piece.count]),
    [["went_on", 3], ["ended", 1], ["stopped", 5]],
  ); // prettier-ignore
  assert.equal(
    found.reduce((sum, piece) => sum + piece.count, 0),
    rung.came,
  );
});

void test("a place comes back out of the address", () => {
  assert.deepEqual(placeOf(placeText({ bracket: 2, resource: 0.5 })), { bracket: 2, resource: 0.5 });
  assert.equal(placeOf(""), null);
  assert.equal(placeOf("x@y"), null);
});

void test("the decisions of a rung, the newest first; a decision without a bracket belongs to the first", () => {
  const record = {
    number: [4, 5, 6, 7],
    bracket: [0, 1, null, 0],
    resource_at: [3, 3, 3, 9],
  } as unknown as components["schemas"]["Rungs"];
  assert.deepEqual(decisionsAt(record, { bracket: 0, resource: 3 }), [2, 0]);
  assert.deepEqual(decisionsAt(record, null), [3, 2, 1, 0]);
});

void test("decisions are said in the past tense", () => {
  assert.equal(said("continued", 9, "epoch"), "went on to epoch 9");
  assert.equal(said("continued", null, "epoch"), "went on to the end");
  assert.equal(said("stopped", null, "epoch"), "stopped");
});
