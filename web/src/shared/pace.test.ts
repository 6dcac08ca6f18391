import assert from "node:assert/strict";
import { test } from "node:test";
import { paced } from "./pace.ts";

/** A pace by a clock of its own: each act takes `takes` ms. */
function made(takes: number) {
  const timers: { at: number; what: () => void }[] = [];
  const acts: number[] = [];
  let now = 0;
  const later = (what: () => void, ms: number) => timers.push({ at: now + ms, what });
  const act = () => {
    acts.push(now);
    return new Promise((done) => later(() => done(undefined), takes));
  };
  const call = paced(act, { least: 1000, most: 10_000, rest: 10 }, undefined, { now: () => now, later });
  const until = async (moment: number) => {
    for (;;) {
      await new Promise((settled) => setImmediate(settled)); // what promises lead to
      timers.sort((a, b) => a.at - b.at);
      const due = timers[0];
      if (due === undefined || due.at > moment) break;
      timers.shift();
      now = due.at;
      due.what();
    }
    now = moment;
  };
  return { acts, call, until };
}

void test("the first call acts at once, those after it together and once a second", async () => {
  const { acts, call, until } = made(20);
  call();
  for (const moment of [100, 200, 900]) {
    await until(moment);
    call();
  }
  await until(5000);
  assert.deepEqual(acts, [0, 1000]);
  call();
  await until(5001);
  assert.deepEqual(acts, [0, 1000, 5000]);
});

void test("what takes long is done less often, and never twice at a time", async () => {
  const { acts, call, until } = made(300);
  for (let moment = 0; moment <= 7000; moment += 100) {
    await until(moment);
    call();
  }
  assert.deepEqual(acts, [0, 3000, 6000]);
});

void test("even what takes very long is done every ten seconds, and nothing is forgotten", async () => {
  const { acts, call, until } = made(4000);
  call();
  await until(1000);
  call();
  await until(30_000);
  assert.deepEqual(acts, [0, 10_000]);
});
