import assert from "node:assert/strict";
import { test } from "node:test";
import { age, counted, duration, fromWire, goalInWords, goalSign, moment, number, plain } from "./format.ts";

const NOW = Date.parse("2026-05-01T12:00:00Z");
const before = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

void test("numbers from the wire", () => {
  assert.equal(number(0.123456789), "0.123457");
  assert.equal(number("NaN"), "NaN");
  assert.equal(number("-Infinity"), "−∞");
  assert.equal(number(null), "–");
  assert.equal(fromWire("Infinity"), Number.POSITIVE_INFINITY);
});

void test("how long ago, in one unit", () => {
  const said: [number, string][] = [
    [0, "0 s"],
    [59, "59 s"],
    [60, "1 min"],
    [3599, "59 min"],
    [7200, "2 h"],
    [86400 * 3, "3 d"],
    [86400 * 20, "2 weeks"],
    [86400 * 100, "3 months"],
    [86400 * 800, "2 years"],
    [-5, "0 s"],
  ];
  for (const [seconds, text] of said) assert.equal(age(before(seconds), NOW), text);
  assert.equal(age(null, NOW), "–");
  assert.equal(age("yesterday", NOW), "–");
});

void test("what is not there is a dash", () => {
  assert.equal(duration(null), "–");
  assert.equal(moment(null), "–");
  assert.equal(moment("no time"), "–");
  assert.equal(plain(undefined), "–");
});

void test("moments have a fixed width", () => {
  assert.match(moment("2026-05-01T12:00:00Z"), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
});

void test("any value is one line", () => {
  assert.equal(plain("sgd"), "sgd");
  assert.equal(plain(0.1 + 0.2), "0.3");
  assert.equal(plain([1, "a"]), '[1,"a"]');
  assert.equal(plain(false), "false");
});

void test("counted things and goals", () => {
  assert.equal(counted(1, "trial"), "1 trial");
  assert.equal(counted(1200, "trial"), "1,200 trials");
  assert.equal(counted(2, "study", "studies"), "2 studies");
  assert.equal(goalInWords(0.95), "come near to 0.95");
  assert.equal(goalSign("maximize"), "↑");
  assert.equal(goalSign(null), "");
});
