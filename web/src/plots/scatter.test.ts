import assert from "node:assert/strict";
import { test } from "node:test";
import { palette } from "./palette.ts";
import { placesOfPoints, scattered, trialOfPoint } from "./scatter.ts";

const colours = palette("light");
const looks = new Map([
  ["pruned", { color: "#111111" }],
  ["complete", { color: "#222222" }],
]);
const marks = {
  number: [0, 1, 2, 3, 4],
  x: [0, 1, 2, 3, 4],
  y: [0.5, Number.NaN, -1, 2, Number.POSITIVE_INFINITY],
  group: ["complete", "complete", "pruned", "complete", "pruned"],
};

void test("a mark without a place is left out, the others stand with their kind", () => {
  const series = scattered({ marks, looks, chosen: null, colours });
  assert.deepEqual(
    series.map((one) => [one.id, one.data]),
    [
      ["dim", []],
      ["kind:pruned", [[2, -1, 2]]],
      [
        "kind:complete",
        [
          [0, 0.5, 0],
          [3, 2, 3],
        ],
      ],
    ],
  );
});

void test("on a log axis what is not above 0 has no place", () => {
  const series = scattered({ marks, looks, chosen: null, colours, logY: true });
  assert.deepEqual(
    series.map((one) => (one.data as unknown[]).length),
    [0, 0, 2],
  );
});

void test("what is not chosen is dimmed, and every trial is found where it lies", () => {
  const series = scattered({ marks, looks, chosen: (trial) => trial === 3, colours });
  assert.deepEqual(
    series.map((one) => (one.data as unknown[]).length),
    [2, 0, 1],
  );
  const places = placesOfPoints(series);
  assert.deepEqual(places(3), [{ seriesIndex: 2, dataIndex: 0 }]);
  assert.deepEqual(places(2), [{ seriesIndex: 0, dataIndex: 1 }]);
  assert.deepEqual(places(1), []);
});

void test("a mark says its trial", () => {
  assert.equal(trialOfPoint({ seriesId: "", seriesIndex: 0, dataIndex: 0, value: [1, 2, 7] }), 7);
  assert.equal(trialOfPoint({ seriesId: "", seriesIndex: 0, dataIndex: 0, value: 3 }), null);
});
