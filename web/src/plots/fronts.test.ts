import assert from "node:assert/strict";
import { test } from "node:test";
import { frontLine, stairs } from "./fronts.ts";

const falling: [number, number][] = [
  [3, 1],
  [1, 3],
  [Number.NaN, 0],
];

void test("where both are minimised the staircase lies above and right of the members", () => {
  assert.deepEqual(frontLine(falling, "minimize", "minimize"), [
    [1, 3],
    [3, 3],
    [3, 1],
  ]);
});

void test("where both are maximised it lies below and left", () => {
  assert.deepEqual(frontLine(falling, "maximize", "maximize"), [
    [1, 3],
    [1, 1],
    [3, 1],
  ]);
});

void test("small and large: right and below", () => {
  const rising: [number, number][] = [
    [1, 1],
    [2, 5],
  ];
  assert.deepEqual(frontLine(rising, "minimize", "maximize"), [
    [1, 1],
    [2, 1],
    [2, 5],
  ]);
});

void test("there is no edge where a number is approached", () => {
  assert.deepEqual(frontLine(falling, 2, "minimize"), []);
});

void test("a value holds until the next one, and the last until the end", () => {
  assert.deepEqual(stairs([[0, 5], [3, 2]], 9), [[0, 5], [3, 5], [3, 2], [9, 2]]); // prettier-ignore
  assert.deepEqual(stairs([], 9), []);
});
