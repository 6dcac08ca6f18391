import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cellText,
  moved,
  nextSort,
  pagesOf,
  placeOf,
  shownColumns,
  sorted,
  usualColumns,
  type ColumnInfo,
  type TrialRow,
} from "./trialcells.ts";

function info(name: string, type: ColumnInfo["type"] = "number", goal?: string): ColumnInfo {
  const group = name.startsWith("params.") ? "params" : name.startsWith("metrics.") ? "metrics" : "trial";
  return { name, label: name, group, type, log: false, goal };
}

const INFOS = [
  info("number", "integer"),
  info("state", "category"),
  info("value"),
  info("params.lr"),
  info("params.opt", "category"),
  info("metrics.loss", "number", "minimize"),
  info("metrics.acc"),
  info("steps", "integer"),
  info("duration", "seconds"),
  info("started", "time"),
];

const ROW: TrialRow = {
  number: 1234,
  state: "complete",
  params: { lr: 0.000012345678, opt: "adam", layers: [64, 32] },
  value: "NaN",
  values: { loss: "-Infinity", acc: 0.5 },
  steps: 1500,
  started: null,
  ended: null,
  duration: 12.3456,
  attempt: 1,
  reason: null,
  error: "x".repeat(1000),
};

void test("until somebody chooses there are outcome, parameters and duration", () => {
  const usual = ["number", "state", "value", "params.lr", "params.opt", "steps", "duration"];
  assert.deepEqual(usualColumns(INFOS), usual);
  const several = INFOS.filter((one) => one.name !== "value");
  assert.deepEqual(usualColumns(several).slice(0, 3), ["number", "state", "metrics.loss"]);
  const shown = shownColumns(INFOS, ["metrics.acc", "nonsense", "state"]).map((one) => one.name);
  assert.deepEqual(shown, ["number", "state", "metrics.acc"]);
});

void test("columns move among those that are not pinned", () => {
  const names = ["number", "state", "a", "b", "c"];
  assert.deepEqual(moved(names, "a", 1), ["number", "state", "b", "a", "c"]);
  assert.deepEqual(moved(names, "c", -1), ["number", "state", "a", "c", "b"]);
  assert.deepEqual(moved(names, "a", -5), names);
  assert.deepEqual(moved(names, "c", 9), names);
  assert.deepEqual(moved(names, "state", 1), names);
});

void test("a head that is pressed sorts up, down, and no more", () => {
  assert.equal(nextSort("", "lr"), "lr");
  assert.equal(nextSort("lr", "lr"), "-lr");
  assert.equal(nextSort("-lr", "lr"), "");
  assert.equal(nextSort("-x", "lr"), "lr");
  assert.deepEqual(
    [sorted("lr", "lr"), sorted("-lr", "lr"), sorted("", "lr")],
    ["ascending", "descending", "none"],
  );
});

void test("cells are short texts", () => {
  const text = (name: string, type?: ColumnInfo["type"]) => cellText(ROW, info(name, type));
  assert.equal(text("number", "integer"), "1234");
  assert.equal(text("params.lr"), "1.23457e−5");
  assert.equal(text("params.layers", "category"), "[64,32]");
  assert.equal(text("params.nothing"), "");
  assert.equal(text("value"), "NaN");
  assert.equal(text("metrics.loss"), "−∞");
  assert.equal(text("duration", "seconds"), "12.3 s");
  assert.equal(text("steps", "integer"), "1,500");
  assert.equal(text("error", "text").length, 301);
});

void test("pages that hold a range of rows", () => {
  assert.deepEqual(pagesOf(0, 30, 100), [0]);
  assert.deepEqual(pagesOf(95, 130, 100), [0, 100]);
  assert.deepEqual(pagesOf(200, 200, 100), [200]);
  assert.deepEqual(pagesOf(-5, -1, 100), []);
});

void test("a trial is found again where rows came before it", () => {
  const pages = [
    { offset: 0, rows: [{ number: 9 }, { number: 8 }] },
    { offset: 100, rows: [{ number: 3 }, { number: 9 }] },
  ];
  assert.equal(placeOf(8, 0, pages), 1);
  assert.equal(placeOf(9, 100, pages), 101);
  assert.equal(placeOf(7, 0, pages), null);
});
