import assert from "node:assert/strict";
import { test } from "node:test";
import { blended, palette, sequence, shares, towardsBest, type Scheme } from "./palette.ts";

function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
  const [r = 0, g = 0, b = 0] = parts.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

for (const scheme of ["light", "dark"] satisfies Scheme[]) {
  void test(`${scheme}: marks stand out by 3 : 1 and text by 4.5 : 1 (WCAG 1.4.11, 1.4.3)`, () => {
    const { series, states, ground, ink, faint } = palette(scheme);
    for (const colour of [...series, ...Object.values(states)]) {
      assert.ok(
        contrast(colour, ground) >= 3,
        `${colour} on ${ground}: ${contrast(colour, ground).toFixed(2)}`,
      );
    }
    for (const colour of [ink, faint]) assert.ok(contrast(colour, ground) >= 4.5, colour);
  });

  void test(`${scheme}: a sequence grows lighter all the way`, () => {
    const steps = Array.from({ length: 21 }, (_, at) => luminance(blended(sequence(scheme), at / 20)));
    for (let at = 1; at < steps.length; at += 1) assert.ok((steps[at] ?? 0) >= (steps[at - 1] ?? 0) - 1e-6);
  });
}

void test("shares run from 0 to 1, on a log scale where one was asked for and can be", () => {
  assert.equal(shares([1, 10, 100], true)(10), 0.5);
  assert.equal(shares([0, 10, 100], true)(50), 0.5);
  assert.equal(shares([5, 5])(5), 0.5);
  assert.equal(shares([1, Number.NaN, 3, Number.POSITIVE_INFINITY])(2), 0.5);
});

void test("a value that is no number is grey, and one beyond the ends has the colour of the end", () => {
  assert.equal(blended(["#000000", "#ffffff"], Number.NaN), "#8a8f96");
  assert.equal(blended(["#000000", "#ffffff"], 7), "#ffffff");
  assert.equal(blended(["#000000", "#ffffff"], 0.5), "#808080");
});

void test("values near the best stand out from the ground, whatever is wanted", () => {
  for (const scheme of ["light", "dark"] satisfies Scheme[]) {
    const { ground } = palette(scheme);
    for (const goal of ["minimize", "maximize", 0.5]) {
      const colours = towardsBest(scheme, goal);
      const [best, worst] = [
        blended(colours, goal === "maximize" ? 1 : 0),
        blended(colours, goal === "maximize" ? 0 : 1),
      ];
      assert.ok(contrast(best, ground) > contrast(worst, ground), `${scheme} ${goal}`);
    }
  }
});
