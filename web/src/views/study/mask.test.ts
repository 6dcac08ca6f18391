import assert from "node:assert/strict";
import { test } from "node:test";
import { counted, held } from "./mask.ts";

void test("bit n, the lowest first, is trial n", () => {
  const mask = Uint8Array.from([0b10000001, 0b10]);
  const among = held(mask);
  assert.deepEqual([0, 1, 7, 8, 9, 500].map(among), [true, false, true, false, true, false]);
  assert.equal(counted(mask), 3);
});
