import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

function frames() {
  const asked: (() => void)[] = [];
  return { ask: (callback: () => void) => asked.push(callback), pass: () => asked.shift()?.(), asked };
}

void test("one plot is drawn at a time, its steps in order, the newest of a kind", () => {
  const clock = frames();
  const turns = new Turns(clock.ask);
  const seen: string[] = [];
  const [one, other] = [{}, {}];
  turns.add(one, "area", () => seen.push("one area"));
  turns.add(one, "option", () => seen.push("one, old"));
  turns.add(other, "option", () => seen.push("other"));
  turns.add(one, "option", () => seen.push("one"));
  assert.deepEqual(seen, []);
  clock.pass();
  assert.deepEqual(seen, ["one", "one area"]);
  clock.pass();
  assert.deepEqual(seen, ["one", "one area", "other"]);
  assert.equal(clock.asked.length, 0);
});

void test("a plot that is gone is not drawn, and a drawing may ask for the next one", () => {
  const clock = frames();
  const turns = new Turns(clock.ask);
  const seen: string[] = [];
  const [gone, stays] = [{}, {}];
  turns.add(gone, "option", () => seen.push("gone"));
  turns.add(stays, "option", () => turns.add(stays, "zoom", () => seen.push("again")));
  turns.drop(gone);
  clock.pass();
  clock.pass();
  assert.deepEqual(seen, ["again"]);
});
