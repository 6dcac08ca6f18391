import assert from "node:assert/strict";
import { test } from "node:test";
import { arranged, moved, toggled } from "./axisorder.ts";

void test("an axis is moved, and never beyond the ends", () => {
  assert.deepEqual(moved(["a", "b", "c"], 0, 2), ["b", "c", "a"]);
  assert.deepEqual(moved(["a", "b", "c"], 2, -5), ["c", "a", "b"]);
  assert.deepEqual(moved(["a", "b", "c"], 1, 9), ["a", "c", "b"]);
  assert.deepEqual(moved(["a"], 4, 0), ["a"]);
});

void test("an order that names what is gone leaves it out", () => {
  assert.deepEqual(arranged(["a", "b", "c"], ["c", "gone", "a"], String), ["c", "a"]);
  assert.deepEqual(arranged(["a", "b"], [], String), ["a", "b"]);
});

void test("a second toggle takes back the first", () => {
  assert.deepEqual(toggled(toggled(["a"], "b"), "b"), ["a"]);
});
