import assert from "node:assert/strict";
import { test } from "node:test";
import { parsed, PLAIN, stripped } from "./ansi.ts";

const E = "\u001b";

function told(line: string, begin = PLAIN) {
  return parsed(line, begin).pieces.map(({ text, look }) => [
    text,
    Object.fromEntries(Object.entries(look).filter(([, value]) => value !== null && value !== false)),
  ]);
}

void test("colours and weights become looks, and end where they are said to", () => {
  assert.deepEqual(told(`a ${E}[1;31mred${E}[0m b`), [
    ["a ", {}],
    ["red", { bold: true, fg: "1" }],
    [" b", {}],
  ]);
  assert.deepEqual(told(`${E}[93;44;3;4;9;7;2mx${E}[39;49;23;24;29;27;22my`), [
    ["x", { fg: "11", bg: "4", italic: true, underline: true, strike: true, inverse: true, dim: true }],
    ["y", {}],
  ]);
  assert.deepEqual(told(`${E}[mplain`), [["plain", {}]]);
});

void test("the palette of 256 and true colours are understood in every spelling", () => {
  assert.deepEqual(told(`${E}[38;5;9ma${E}[38;5;196mb${E}[48;5;244mc`), [
    ["a", { fg: "9" }],
    ["b", { fg: "#ff0000" }],
    ["c", { fg: "#ff0000", bg: "#808080" }],
  ]);
  for (const code of ["38;2;1;2;255", "38:2:1:2:255", "38:2::1:2:255"]) {
    assert.deepEqual(told(`${E}[${code}mx`), [["x", { fg: "#0102ff" }]], code);
  }
  assert.deepEqual(told(`${E}[38;5;1;4mx`), [["x", { fg: "1", underline: true }]]);
});

void test("colours that there are not change nothing", () => {
  for (const code of ["38;5;256", "38;2;1;2;300", "38;5", "38", "38;9;1", "38;2;1", "999", "38;5;-1"]) {
    assert.deepEqual(
      told(`${E}[${code}mx`).map(([text, look]) => [text, (look as { fg?: string }).fg]),
      [["x", undefined]],
      code,
    );
  }
});

void test("a look holds over the end of a line", () => {
  const { end } = parsed(`${E}[32mgreen`, PLAIN);
  assert.deepEqual(told("still", end), [["still", { fg: "2" }]]);
  assert.equal(parsed("nothing", end).end, end);
});

void test("sequences that move a cursor, set a title or make a link are left out", () => {
  const harmless = [
    `${E}[2J`, `${E}[10;20H`, `${E}[?25l`, `${E}[K`, `${E}]0;title\u0007`, `${E}]8;;javascript:alert(1)${E}\\`,
    `${E}P1$r0m${E}\\`, `${E}_apc${E}\\`, `${E}c`, `${E}(B`, `\u009b31m`.replace("31m", "2J"), `${E}[>c`, `${E}7`,
    "\u0007", "\u0000", "\u0008", `${E}]52;c;aGVsbG8=\u0007`,
  ]; // prettier-ignore
  for (const text of harmless) assert.equal(stripped(`a${text}b`), "ab", JSON.stringify(text));
});

void test("what never ends swallows nothing but itself", () => {
  assert.equal(stripped(`a${E}]0;no end of it`), "a0;no end of it");
  assert.equal(stripped(`a${E}[12;`), "a");
  assert.equal(stripped(`a${E}`), "a");
  assert.equal(stripped(`a${E}[31üb`), "aüb");
  const many = `${E}[${"1;".repeat(50_000)}31mx`;
  assert.equal(stripped(many), "x");
});

void test("a progress bar shows how far it came", () => {
  assert.equal(stripped(" 10%\r 50%\r100%"), "100%");
  assert.equal(stripped("windows line\r"), "windows line");
  assert.deepEqual(told(`${E}[31m 10%\r 50%`), [[" 50%", { fg: "1" }]]);
});

void test("text that would turn its line around stands as what it is", () => {
  assert.equal(stripped("user\u202etxt.exe"), "user\ufffdtxt.exe");
  assert.equal(stripped("<img src=x onerror=alert(1)>"), "<img src=x onerror=alert(1)>");
  assert.equal(stripped("tab\tstays"), "tab\tstays");
});

void test("a hundred thousand sequences take no time", () => {
  const line = `${E}[31ma${E}[0mb`.repeat(50_000);
  const began = performance.now();
  assert.equal(parsed(line, PLAIN).pieces.length, 100_000);
  assert.ok(performance.now() - began < 2000);
});
