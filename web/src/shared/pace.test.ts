import assert from "node:assert/strict";
import { test } from "node:test";
import { paced } from "./pace.ts";

function made(busy: () => boolean = () => false) {
  const timers: { at: number; what: () => void }[] = [];
  const acts: number[] = [];
  let now = 0;
  const clock = {
    now: () => now,
    later: (what: () => void, ms: number) => timers.push({ at: now + ms, what }),
  };
  const call = paced(() => acts.push(now), 1000, busy, clock);
  const until = (moment: number) => {
    for (;;) {
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

void test("the first call acts at once, those after it together and once a second", () => {
  const { acts, call, until } = made();
  call();
  for (const moment of [100, 200, 900]) {
    until(moment);
    call();
  }
  until(5000);
  assert.deepEqual(acts, [0, 1000]);
  call();
  assert.deepEqual(acts, [0, 1000, 5000]);
});

void test("while it is busy it waits, and nothing is forgotten", () => {
  let busy = true;
  const { acts, call, until } = made(() => busy);
  call();
  until(3100);
  assert.deepEqual(acts, []);
  busy = false;
  until(4000);
  assert.equal(acts.length, 1);
  until(9000);
  assert.equal(acts.length, 1);
});
