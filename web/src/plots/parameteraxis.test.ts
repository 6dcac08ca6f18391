import assert from "node:assert/strict";
import { test } from "node:test";
import { brushedPart, ends, partSpan, placed, valueAt, type ParameterAxis } from "./parameteraxis.ts";

const number: ParameterAxis = {
  name: "lr",
  kind: "number",
  scale: "log",
  low: 1e-4,
  high: 1,
  ordered: true,
  categories: null,
};
const reversed: ParameterAxis = { ...number, name: "momentum", scale: "reverselog", low: 0.5, high: 0.99 };
const choice: ParameterAxis = {
  ...number,
  kind: "category",
  scale: "linear",
  low: 0,
  high: 2,
  categories: ["8", "16", "relu"],
};
const valueOf = (label: string) => (/^\d+$/.test(label) ? Number(label) : label);

void test("marks of a category lie about its place, the same trial always in the same place", () => {
  for (let trial = 0; trial < 100; trial += 1) {
    const at = placed(choice, 2, trial);
    assert.ok(at >= 1.75 && at <= 2.25);
    assert.equal(at, placed(choice, 2, trial));
  }
});

void test("a brush over categories takes those whose marks it touches, with their values", () => {
  assert.deepEqual(brushedPart(choice, [-0.5, 1.1], valueOf), { among: [8, 16] });
  assert.deepEqual(brushedPart(choice, [1.8, 2.6], valueOf), { among: ["relu"] });
  assert.equal(brushedPart(choice, null, valueOf), null);
});

void test("what was brushed is drawn at the same place again", () => {
  assert.deepEqual(
    partSpan(number, brushedPart(number, [0.001, 0.1], valueOf) ?? undefined, valueOf),
    [0.001, 0.1],
  );
  const back = partSpan(reversed, brushedPart(reversed, [0.5, 1.5], valueOf) ?? undefined, valueOf);
  assert.ok(back && Math.abs(back[0] - 0.5) < 1e-9 && Math.abs(back[1] - 1.5) < 1e-9);
  assert.deepEqual(partSpan(choice, { among: [16, "relu"] }, valueOf), [0.6, 2.4]);
  assert.equal(partSpan(choice, { among: [8, "relu"] }, valueOf), null);
  assert.deepEqual(partSpan(number, { low: 0.01, high: null }, valueOf), [0.01, 1]);
});

void test("an axis has an extent even where all values are one", () => {
  assert.deepEqual(ends({ ...number, low: 4, high: 4 }), [2, 8]);
  assert.deepEqual(ends({ ...number, scale: "linear", low: 4, high: 4 }), [3.5, 4.5]);
  assert.deepEqual(ends(choice), [-0.5, 2.5]);
  assert.ok(Math.abs(valueAt(reversed, placed(reversed, 0.9, 0)) - 0.9) < 1e-12);
});
