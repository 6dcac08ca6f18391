import assert from "node:assert/strict";
import { test } from "node:test";
import { chosen, sortNamed, sortNext, standing, tagsOf, type Row, type Wanted } from "./rows.ts";

const row = (given: Partial<Row>): Row => ({
  name: "digits-1",
  state: "complete",
  trials: 1,
  counts: {},
  budget: null,
  objectives: 1,
  metric: "loss",
  goal: "minimize",
  best: 1,
  best_trial: 0,
  line: [],
  created: "2026-01-01T00:00:00Z",
  elapsed: 1,
  workers: 0,
  runners: 0,
  tags: [],
  note: "",
  archived: false,
  runs: true,
  ...given,
});
const ALL: Wanted = { search: "", states: [], tags: [], archived: false };
const names = (rows: readonly Row[]) => rows.map(({ name }) => name);

void test("words of the search may stand anywhere", () => {
  const rows = [
    row({ name: "a", tags: ["Paper"], note: "first try" }),
    row({ name: "b", metric: "accuracy" }),
  ];
  assert.deepEqual(names(chosen(rows, { ...ALL, search: "paper TRY" }, "name")), ["a"]);
  assert.deepEqual(names(chosen(rows, { ...ALL, search: "accu" }, "name")), ["b"]);
  assert.deepEqual(names(chosen(rows, { ...ALL, search: "nothing" }, "name")), []);
});

void test("states, tags and the archive", () => {
  const rows = [
    row({ name: "a", state: "running", tags: ["x", "y"] }),
    row({ name: "b", archived: true, tags: ["x"] }),
    row({ name: "c", tags: ["x"] }),
  ];
  assert.deepEqual(names(chosen(rows, ALL, "name")), ["a", "c"]);
  assert.deepEqual(names(chosen(rows, { ...ALL, archived: true }, "name")), ["a", "b", "c"]);
  assert.deepEqual(names(chosen(rows, { ...ALL, states: ["running", "failed"] }, "name")), ["a"]);
  assert.deepEqual(names(chosen(rows, { ...ALL, tags: ["x", "y"] }, "name")), ["a"]);
});

void test("names are sorted as people count", () => {
  const rows = ["digits-10", "digits-9", "Apples"].map((name) => row({ name }));
  assert.deepEqual(names(chosen(rows, ALL, "name")), ["Apples", "digits-9", "digits-10"]);
});

void test("the best is what the goal says, and what has none comes last either way", () => {
  const rows = [
    row({ name: "none", best: null }),
    row({ name: "two", best: 2 }),
    row({ name: "one", best: 1 }),
    row({ name: "nan", best: "NaN" }),
  ];
  assert.deepEqual(names(chosen(rows, ALL, "best")), ["one", "two", "none", "nan"]);
  assert.deepEqual(names(chosen(rows, ALL, "-best")), ["two", "one", "none", "nan"]);
  const up = rows.map((one) => ({ ...one, goal: "maximize" }));
  assert.deepEqual(names(chosen(up, ALL, "best")).slice(0, 2), ["two", "one"]);
  const near = rows.map((one) => ({ ...one, goal: 1.9 }));
  assert.deepEqual(names(chosen(near, ALL, "best")).slice(0, 2), ["two", "one"]);
});

void test("equal rows keep the order that the server gave", () => {
  const rows = ["b", "a", "c"].map((name) => row({ name }));
  assert.deepEqual(names(chosen(rows, ALL, "-trials")), ["b", "a", "c"]);
});

void test("the word for a sort", () => {
  assert.deepEqual(sortNamed(""), { by: "created", falling: true });
  assert.deepEqual(sortNamed("-no-such"), { by: "created", falling: true });
  assert.equal(sortNext("", "created"), "created");
  assert.equal(sortNext("created", "created"), "-created");
  assert.equal(sortNext("created", "trials"), "-trials");
  assert.equal(sortNext("", "name"), "name");
});

void test("tags and states are counted", () => {
  const rows = [row({ tags: ["x"] }), row({ tags: ["y", "x"] }), row({ state: "failed" })];
  assert.deepEqual(tagsOf(rows), ["x", "y"]);
  assert.deepEqual(standing(rows), { complete: 2, failed: 1 });
});
