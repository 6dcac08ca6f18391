import assert from "node:assert/strict";
import { test } from "node:test";
import { TABS, wish } from "./tabs.ts";

void test("g and a letter lead to a part, and no letter to two", () => {
  assert.deepEqual(wish("g", "t"), { kind: "tab", tab: "table" });
  assert.equal(wish("", "t"), null);
  assert.equal(wish("g", "z"), null);
  assert.equal(new Set(TABS.map((tab) => tab.key)).size, TABS.length);
});

void test("single keys", () => {
  assert.deepEqual(
    ["/", "?", "Escape", "x"].map((key) => wish("", key)?.kind),
    ["filter", "help", "clear", undefined],
  );
});
