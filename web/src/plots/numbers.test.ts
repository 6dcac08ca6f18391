import assert from "node:assert/strict";
import { test } from "node:test";
import { axisNumber, axisSeconds, seconds, sixDigits } from "./numbers.ts";

void test("numbers are said in six digits", () => {
  const said = [
    0,
    1,
    -2,
    0.1,
    1 / 3,
    1234567,
    1.5e-7,
    123456.789,
    -1e12,
    2.5e6 + 0.5,
    Number.NaN,
    -Infinity,
  ].map(sixDigits);
  assert.deepEqual(said, [
    "0", "1", "−2", "0.1", "0.333333", "1,234,567", "1.5e−7", "123457", "−1e12", "2.5e6", "NaN", "−∞",
  ]); // prettier-ignore
});

void test("axes say as little as they can", () => {
  assert.deepEqual([0, 0.01, 0.0001, 1e5, 123456, 0.30000000000000004].map(axisNumber), [
    "0",
    "0.01",
    "1e-4",
    "1e5",
    "1.23e5",
    "0.3",
  ]);
  assert.deepEqual([0, 0.5, 30, 300, 7200, 200000].map(axisSeconds), [
    "0 s",
    "500 ms",
    "30 s",
    "5 min",
    "2 h",
    "2.31 d",
  ]);
});

void test("durations are said in two units", () => {
  assert.deepEqual([0.0123, 5, 59.96, 100, 3700, 90000, Number.NaN].map(seconds), [
    "12.3 ms", "5 s", "60 s", "1 min 40 s", "1 h 1 min", "1 d 1 h", "—",
  ]); // prettier-ignore
});
