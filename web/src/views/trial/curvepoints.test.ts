import assert from "node:assert/strict";
import { test } from "node:test";
import { points } from "./curvepoints.ts";
import type { Curve } from "./types.ts";

const curve: Curve = {
  trial: 4,
  started: null,
  resource: "epoch",
  metrics: [
    { name: "loss", steps: [0, 1, 2, 3], seconds: [0, 1, 2, 3], values: ["NaN", 2, -1, 0.5], of: 4 },
    { name: "acc", steps: [1], seconds: [0.5], values: ["Infinity"], of: 1 },
  ],
  rungs: [],
  shown: 5,
  of: 5,
};

void test("what has no place on the axes is left out", () => {
  assert.deepEqual(points(curve, "loss", "step", false, false), [
    [1, 2],
    [2, -1],
    [3, 0.5],
  ]);
  assert.deepEqual(points(curve, "loss", "time", true, true), [
    [1, 2],
    [3, 0.5],
  ]);
  const again = {
    ...curve,
    metrics: [{ name: "x", steps: [1, 2, 1], seconds: [1, 2, 3], values: [5, 4, 6], of: 3 }],
  };
  assert.deepEqual(points(again, "x", "step", false, false), [
    [1, 5],
    [2, 4],
    [null, null],
    [1, 6],
  ]);
  assert.deepEqual(points(curve, "acc", "step", false, false), []);
  assert.deepEqual(points(curve, "none", "step", false, false), []);
});
