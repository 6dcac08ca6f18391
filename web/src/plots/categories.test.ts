import assert from "node:assert/strict";
import { test } from "node:test";
import { valueOfLabel } from "./categories.ts";

void test("a label stands for the value that it was made of", () => {
  const values = ["relu", 16, 1e-5, true, null, "8"];
  assert.deepEqual(
    ["relu", "16", "1e-05", "true", "null", "8"].map((label) => valueOfLabel(values, label)),
    ["relu", 16, 1e-5, true, null, "8"],
  );
});

void test("a value that the space has no more is read as the others are", () => {
  assert.equal(valueOfLabel([16, 32], "64"), 64);
  assert.equal(valueOfLabel(["a", "b"], "64"), "64");
});
