import assert from "node:assert/strict";
import { test } from "node:test";
import { extent, placedCurve } from "./curvelines.ts";

void test("points without a place are left out of a curve", () => {
  assert.deepEqual(placedCurve([0, 1, 2, 3], [0.5, "NaN", 0, 2], false, false), [
    [0, 0.5],
    [2, 0],
    [3, 2],
  ]);
  assert.deepEqual(placedCurve([0, 1, 2, 3], [0.5, "NaN", 0, 2], true, true), [[3, 2]]);
});

void test("an extent is that of all curves", () => {
  assert.deepEqual(extent([[1, 101], [], [-3]]), [-3, 101]);
  assert.deepEqual(extent([[]]), [undefined, undefined]);
});
