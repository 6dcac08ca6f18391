import assert from "node:assert/strict";
import { test } from "node:test";
import { filter, Unreadable, type Row } from "./filter.ts";

const known = { params: ["lr", "opt", "odd name", "and"], metrics: ["loss", "val.acc"] };
const rows: Row[] = [
  { number: 0, state: "complete", value: 0.5, params: { lr: 0.1, opt: "sgd", "odd name": 1, and: 3 }, values: { loss: 0.5, "val.acc": 0.9 }, steps: 3, started: "2026-01-01T00:00:00.000Z" },
  { number: 1, state: "failed", value: null, params: { lr: 1e-3, opt: "it's", "odd name": 2, and: 4 }, values: { loss: "NaN" }, steps: 0, started: null },
  { number: 2, state: "complete", value: -1, params: { opt: "adam", "odd name": 3, and: 5 }, values: { loss: -1, "val.acc": "Infinity" }, steps: 9, started: null },
]; // prettier-ignore

function chosen(text: string): number[] {
  const holds = filter(text, known);
  return rows.filter(holds).map((row) => row.number);
}

void test("expressions mean what they mean to the server", () => {
  const cases: [string, number[]][] = [
    ["", [0, 1, 2]],
    ["lr < 0.01", [1]],
    ["not lr < 0.01", [0]],
    ["lr >= 1e-3 and lr <= 0.1", [0, 1]],
    ["1e-3 <= lr < 0.1", [1]],
    ["opt in ['sgd', 'adam']", [0, 2]],
    ["opt not in ['sgd']", [1, 2]],
    ["opt == 'it\\'s'", [1]],
    ['opt == "it\'s"', [1]],
    ["state == 'complete' and (loss < 0 or opt == 'sgd')", [0, 2]],
    ["loss > -5", [0, 2]],
    ["not loss > -5", []],
    ["loss != 0.5", [2]],
    ["metrics.loss == 0.5 or params.`odd name` == 3", [0, 2]],
    ["`odd name` * 2 + 1 == 5", [1]],
    ["`and` % 2 == 0", [1]],
    ["params.`and` == 5", [2]],
    ["number in [0, 2]", [0, 2]],
    ["-value > 0.5", [2]],
    ["value ** 2 == 0.25", [0]],
    ["steps // 2 == 4", [2]],
    ["started > 0", [0]],
    ["metrics.val.acc > 100", [2]],
    ["lr < 1 or true", [0, 1, 2]],
    ["opt < 3", []],
  ];
  for (const [text, expected] of cases) assert.deepEqual(chosen(text), expected, text);
});

void test("what cannot be read says so", () => {
  for (const text of [
    "lr <",
    "(lr < 1",
    "nothing < 1",
    "lr < 1 lr",
    "opt in ['a'",
    "lr; alert(1)",
    "lr.__class__ == 1",
    "(".repeat(200),
  ]) {
    assert.throws(() => filter(text, known), Unreadable, text);
  }
});
