import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempt, Deed, Detail } from "./types.ts";
import { against, ending, logTexts, number, ordinal, setting, size, tone, took, whyTexts } from "./words.ts";

function detail(more: object): Detail {
  return { best: 3, best_value: 0.5, goal: "minimize", ahead: 4, ...more } as unknown as Detail;
}

void test("a value is said against the best one", () => {
  assert.equal(against(detail({ record: { number: 1, value: 0.75 } })), "+0.25 to the best, 5th of all");
  assert.equal(against(detail({ record: { number: 3, value: 0.5 } })), "the best of all");
  assert.equal(
    against(detail({ goal: "maximize", best_value: 0.9, record: { number: 1, value: 0.8 } })),
    "−0.1 to the best, 5th of all",
  );
  assert.equal(against(detail({ record: { number: 1, value: "NaN" } })), "");
  assert.equal(against(detail({ record: { number: 1, value: null } })), "");
  assert.equal(
    against(detail({ goal: "approach 0.95", record: { number: 1, value: 0.8 } })),
    "best 0.5, 5th of all",
  );
});

void test("numbers, sizes and places are short", () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 112, 1001].map(ordinal), [
    "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th", "1,001st",
  ]); // prettier-ignore
  assert.deepEqual([0, 999, 1000, 1234567, 5e12].map(size), ["0 B", "999 B", "1 kB", "1.23 MB", "5 TB"]);
  assert.deepEqual([number(null), number("NaN"), number(0.1234567)], ["—", "NaN", "0.123457"]);
  assert.deepEqual([setting("sgd"), setting([1, "a"]), setting(null), setting(true)], [
    "sgd", '[1,"a"]', "null", "true",
  ]); // prettier-ignore
});

void test("a running trial takes longer by the clock", () => {
  const started = "2026-01-01T00:00:00.000Z";
  const record = { duration: null, started, state: "running" };
  assert.equal(took(detail({ record }), Date.parse(started) / 1000 + 12), 12);
  assert.equal(took(detail({ record: { ...record, state: "waiting" } }), 0), null);
  assert.equal(took(detail({ record: { ...record, duration: 3 } }), 0), 3);
});

void test("an attempt's end is said in words", () => {
  assert.equal(ending({ how: "exited", code: 3 } as Attempt), "exited with status 3");
  assert.equal(ending({ how: "lost" } as Attempt), "was lost with its machine");
  assert.equal(ending({ how: null, started: "x" } as Attempt), "running");
  assert.equal(ending({ how: null } as Attempt), "about to start");
});

void test("the story has bad news and good news", () => {
  const deed = (event: string, data: object = {}, kind = "decision") => ({ event, data, kind }) as Deed;
  assert.equal(tone(deed("completed", { state: "complete" })), "good");
  assert.equal(tone(deed("completed", { state: "failed" })), "bad");
  assert.equal(tone(deed("exited", { how: "exited", code: 1 }, "fact")), "bad");
  assert.equal(tone(deed("exited", { how: "exited", code: 0 }, "fact")), "plain");
  assert.equal(tone(deed("stop requested", {}, "request")), "asked");
});

void test("copied texts name the trial, whatever the study is called", () => {
  assert.equal(whyTexts("-x", 7, "http://h:1").cli, "rung why --json -- '-x' 7");
  const log = logTexts("a b", 7, 2, "stderr", "http://h:1");
  assert.equal(log.cli, "rung logs --err --attempt 2 'a b' 7");
  assert.match(log.rest, /'http:\/\/h:1\/api\/studies\/a%20b\/trials\/7\/output\?attempt=2&stream=stderr'$/);
  assert.match(log.python, /\["rung", "logs", "--err", "--attempt", "2", "--", "a b", "7"\]/);
});
