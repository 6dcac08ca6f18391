import assert from "node:assert/strict";
import { test } from "node:test";
import { bestOf, differences, leaves } from "./differences.ts";

void test("leaves have dotted paths, and lists are leaves", () => {
  assert.deepEqual(
    [...leaves({ a: { b: 1, c: [1, 2] }, d: null })],
    [
      ["a.b", 1],
      ["a.c", [1, 2]],
      ["d", null],
    ],
  );
});

void test("only what is not the same everywhere is a difference", () => {
  const one = { name: "x", search: { method: "tpe", seed: 1 }, budget: { trials: 3 } };
  const two = { name: "y", search: { method: "gp", seed: 1 }, budget: { trials: 3 }, run: { workers: 2 } };
  assert.deepEqual(differences([one, two]), [
    { path: "search.method", values: ["tpe", "gp"] },
    { path: "run.workers", values: [undefined, 2] },
  ]);
  assert.deepEqual(differences([one, one]), []);
});

void test("the best in an objective is that of the whole front, and there is none in what is no objective", () => {
  const study = {
    objectives: [
      { metric: "loss", goal: "minimize" },
      { metric: "gain", goal: "maximize" },
    ],
    winners: [
      { values: { loss: 2, gain: 9, seen: 1 } },
      { values: { loss: 1, gain: 3, seen: 1 } },
      { values: { loss: "NaN", gain: 4, seen: 1 } },
    ],
  } as unknown as Parameters<typeof bestOf>[0];
  assert.deepEqual(
    ["loss", "gain", "seen"].map((metric) => bestOf(study, metric)),
    [1, 9, null],
  );
});
