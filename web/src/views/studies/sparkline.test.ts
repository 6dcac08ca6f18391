import assert from "node:assert/strict";
import { test } from "node:test";
import { steps } from "./sparkline.ts";

void test("a line of steps from left to right, the largest on top", () => {
  assert.equal(steps([2, 1], 10, 10, 0), "M0 0H10V10");
  assert.equal(steps([1, 1, 1], 10, 10, 0), "M0 5H5V5H10V5");
});

void test("too little to draw", () => {
  assert.equal(steps([], 10, 10), "");
  assert.equal(steps([1, "NaN"], 10, 10), "");
});
