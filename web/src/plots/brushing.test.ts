import assert from "node:assert/strict";
import { test } from "node:test";
import { both, conjuncts, EVERYTHING, understood, withParts, written, type Part } from "./brushing.ts";

const selecting = (parts: Record<string, Part>) => withParts(EVERYTHING, parts);

void test("brushes on two axes are one expression", () => {
  const selection = selecting({
    "params.lr": { low: 0.001, high: 0.01 },
    "params.opt": { among: ["sgd", "adam"] },
  });
  assert.equal(
    written(selection),
    "params.lr >= 0.001 and params.lr <= 0.01 and params.opt in ['sgd', 'adam']",
  );
});

void test("what a brush wrote is drawn again", () => {
  const nasty = ["it's", 'a "b"', "back\\slash", "x, y] and z", "two\nlines", "<b>", "true"];
  const selection = selecting({
    "params.odd name": { low: -1.5e-7, high: null },
    "params.x-y": { low: null, high: 3 },
    "params.kind": { among: [...nasty, 3, true, null] },
    "params.and": { low: 1, high: 2 },
    number: { among: [1, 5] },
  });
  const back = understood(written(selection));
  assert.deepEqual([...back.parts], [...selection.parts]);
  assert.deepEqual(back.rest, []);
});

void test("a range is never drawn smaller than the hand drew it", () => {
  for (const value of [0.12345678, -0.12345678, 9.9999999e9, -1e-300, 123456.78, 1e6, 0.99999999]) {
    const text = written(selecting({ x: { low: value, high: value } }));
    const part = understood(text).parts.get("x");
    assert.ok(part && "low" in part && part.low !== null && part.high !== null);
    assert.ok(part.low <= value && value <= part.high, text);
    assert.ok(Math.abs(part.high - part.low) <= Math.abs(value) * 1e-4, text);
  }
});

void test("conditions that no brush can draw stay as they were written", () => {
  const text = "lr >= 0.1 and (opt == 'a' or opt == 'b') and lr < 1 and abs_x != 3";
  const selection = understood(text);
  assert.deepEqual([...selection.parts.keys()], ["lr"]);
  assert.deepEqual(selection.rest, ["(opt == 'a' or opt == 'b')", "lr < 1", "abs_x != 3"]);
  assert.equal(
    written(withParts(selection, { lr: null })),
    "(opt == 'a' or opt == 'b') and lr < 1 and abs_x != 3",
  );
});

void test("an `or` at the top is one condition, in brackets", () => {
  const selection = understood("a >= 1 or b <= 2");
  assert.equal(written(withParts(selection, { c: { low: 0, high: null } })), "c >= 0 and (a >= 1 or b <= 2)");
});

void test("two conditions on one column are narrowed; a list beside a range is kept", () => {
  assert.equal(written(understood("x >= 1 and x >= 2 and x <= 5 and x <= 9")), "x >= 2 and x <= 5");
  assert.equal(written(understood("x >= 1 and x in [1, 2]")), "x >= 1 and x in [1, 2]");
});

void test("words inside quotes, backticks and brackets part nothing", () => {
  assert.deepEqual(conjuncts("`a and b` == 'c and d' and (e and f)"), [
    "`a and b` == 'c and d'",
    "(e and f)",
  ]);
  assert.equal(conjuncts("a and"), null);
  assert.equal(conjuncts("(a"), null);
});

void test("filter and selection join", () => {
  assert.equal(both("", " a >= 1 "), "a >= 1");
  assert.equal(both("a >= 1", "b <= 2 and c == 'or'"), "a >= 1 and b <= 2 and c == 'or'");
  assert.equal(both("a >= 1 or b <= 2", "c >= 3"), "(a >= 1 or b <= 2) and c >= 3");
});
