import assert from "node:assert/strict";
import { test } from "node:test";
import { joined, parted, withWord, word } from "./querywords.ts";

void test("a word that is the default is left out of the address, and the others stay", () => {
  assert.equal(withWord("?tab=space&where=a", "tab", "overview", "overview"), "?where=a");
  assert.equal(withWord("?where=a", "where", "", ""), "");
  assert.equal(
    word(withWord("", "where", "lr < 0.1 and opt in ['a&b']", ""), "where", ""),
    "lr < 0.1 and opt in ['a&b']",
  );
});

void test("any text comes back out of the address", () => {
  for (const text of ["%25", "a+b c", "ünï—✓", "`odd name` == 'x'", "#?&="]) {
    assert.equal(word(withWord("?tab=x", "sel", text, ""), "sel", ""), text);
  }
});

void test("lists come back, whatever their items hold", () => {
  for (const list of [[], ["a"], ["a", "b"], ["a,b", "c\\d", "\\,"], ["", "x"]]) {
    assert.deepEqual(parted(joined(list)), list);
  }
});
