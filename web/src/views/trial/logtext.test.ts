import assert from "node:assert/strict";
import { test } from "node:test";
import { appended, bounds, lineAt, lines, linesOf, NOTHING, places, prepended } from "./logtext.ts";

const part = (offset: number, text: string) => ({ offset, next: offset + text.length, text });

void test("parts that follow each other are one text, whichever came first", () => {
  let stretch = appended(NOTHING, part(10, "one\ntw"));
  stretch = appended(stretch, part(16, "o\nthree"));
  stretch = prepended(stretch, part(0, "zero\nmore\n"));
  assert.deepEqual(
    lines(stretch).map((line) => line.text),
    ["zero", "more", "one", "two", "three"],
  );
  assert.deepEqual(bounds(stretch), { begin: 0, end: 23 });
});

void test("a part that does not follow begins anew", () => {
  const stretch = appended(appended(NOTHING, part(0, "old\n")), part(100, "new\n"));
  assert.deepEqual(bounds(stretch), { begin: 100, end: 104 });
  assert.deepEqual(bounds(prepended(stretch, part(3, "x"))), { begin: 3, end: 4 });
});

void test("memory is bounded on either side", () => {
  let stretch = NOTHING;
  for (let at = 0; at < 10; at += 1) stretch = appended(stretch, part(at * 10, "123456789\n"), 35);
  assert.deepEqual(bounds(stretch), { begin: 70, end: 100 });
  for (let at = 6; at >= 0; at -= 1) stretch = prepended(stretch, part(at * 10, "123456789\n"), 35);
  assert.deepEqual(bounds(stretch), { begin: 0, end: 30 });
});

void test("long lines are broken, and empty ones stay", () => {
  assert.deepEqual(
    linesOf("abcdefgh\n\nx", 3).map((line) => [line.text, line.begins]),
    [
      ["abc", true],
      ["def", false],
      ["gh", false],
      ["", true],
      ["x", true],
    ],
  );
  assert.deepEqual(linesOf(""), []);
  assert.equal(linesOf("\n").length, 1);
});

void test("the line of a place that was asked for is known", () => {
  let stretch = appended(NOTHING, part(0, "one\ntwo: "));
  stretch = appended(stretch, part(9, "here\nthree\n"));
  stretch = appended(stretch, part(20, "four\n"));
  assert.deepEqual(
    [lineAt(stretch, 0), lineAt(stretch, 9), lineAt(stretch, 20), lineAt(stretch, 7)],
    [0, 1, 3, -1],
  );
});

void test("a text is found in either case, and nothing where nothing is sought", () => {
  assert.deepEqual(places("Error, ERROR", "error"), [
    [0, 5],
    [7, 12],
  ]);
  assert.deepEqual(places("aaaa", "aa"), [
    [0, 2],
    [2, 4],
  ]);
  assert.deepEqual(places("İstanbul İ", "İ"), [
    [0, 1],
    [9, 10],
  ]);
  assert.deepEqual(places("x", ""), []);
});
