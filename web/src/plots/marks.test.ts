import assert from "node:assert/strict";
import { test } from "node:test";
import { areaOf, areaText, drawable, fromWire, plain, showing, spanOf } from "./marks.ts";

void test("a zoom comes back out of the address", () => {
  for (const text of ["0.001:0.1,-5:5", ",0:1", "1:2,", ""]) assert.equal(areaText(areaOf(text)), text);
  for (const text of ["2:1", "a:b", "1", ":", "1:2:3", "1:"]) assert.equal(spanOf(text), null);
});

void test("a hostile name is shortened and styles nothing", () => {
  assert.equal(plain("{a|x}"), "{\u200ba|x}");
  assert.equal(plain("x".repeat(300)).length, 90);
});

void test("what was left out is said", () => {
  assert.equal(showing(5000, 100000), "showing 5,000 of 100,000 trials");
  assert.equal(showing(7, 7), "");
});

void test("numbers that have no place are not drawn", () => {
  assert.deepEqual(
    ["NaN", "Infinity", "-Infinity", null, 3].map((value) => drawable(fromWire(value))),
    [null, null, null, null, 3],
  );
  assert.equal(drawable(0, true), null);
  assert.equal(drawable(0), 0);
});
