import assert from "node:assert/strict";
import { test } from "node:test";
import { address, Stream, type Source, type World } from "./stream.ts";

class Fake implements Source {
  onopen: Source["onopen"] = null;
  onerror: Source["onerror"] = null;
  closed = false;
  heard = new Map<string, (event: MessageEvent<string>) => void>();
  readonly at: string;

  constructor(at: string) {
    this.at = at;
  }

  addEventListener(name: string, heard: (event: MessageEvent<string>) => void) {
    this.heard.set(name, heard);
  }

  close() {
    this.closed = true;
  }

  say(name: string, data: unknown, lastEventId = "") {
    this.heard.get(name)?.({ data: JSON.stringify(data), lastEventId } as MessageEvent<string>);
  }
}

// A world whose clock stands still until it is moved.
function made() {
  const sources: Fake[] = [];
  const timers = new Map<number, { at: number; what: () => void }>();
  let now = 0;
  let count = 0;
  let look: (looking: boolean) => void = () => undefined;
  const world: World = {
    open: (at) => {
      const source = new Fake(at);
      sources.push(source);
      return source;
    },
    later: (what, ms) => {
      timers.set((count += 1), { at: now + ms, what });
      return count;
    },
    never: (timer) => timers.delete(timer),
    random: () => 0.5,
    watch: (changed) => {
      look = changed;
      return true;
    },
  };
  const pass = (ms: number) => {
    for (const until = now + ms; ;) {
      const due = [...timers].filter(([, timer]) => timer.at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) {
        now = until;
        return;
      }
      timers.delete(due[0]);
      now = due[1].at;
      due[1].what();
    }
  };
  const newest = () => {
    const found = sources.at(-1);
    assert.ok(found);
    return found;
  };
  return { world, sources, newest, pass, look: (looking: boolean) => look(looking) };
}

const STUDY = { study: "a b", log: null, output: "stdout" } as const;

void test("the address says what to hear of and where to go on", () => {
  assert.equal(address({ study: null, log: 3, output: "stdout" }, null), "/api/stream");
  assert.equal(
    address({ study: "a b", log: 3, output: "stderr" }, "7-x"),
    "/api/stream?study=a+b&log=3&output=stderr&last=7-x",
  );
});

void test("events reach those who listen, until they cease", () => {
  const { world, newest } = made();
  const stream = new Stream(world);
  const heard: number[] = [];
  const end = stream.on("delta", (delta) => heard.push(delta.seq));
  stream.follow(STUDY);
  assert.equal(stream.connection, "connecting");
  newest().onopen?.({} as Event);
  assert.equal(stream.connection, "open");
  newest().say("delta", { seq: 4 }, "4-u");
  end();
  newest().say("delta", { seq: 5 }, "5-u");
  assert.deepEqual(heard, [4]);
});

void test("a lost connection comes back later each time, and says where it was", () => {
  const { world, sources, newest, pass } = made();
  const stream = new Stream(world);
  stream.follow(STUDY);
  newest().say("delta", { seq: 9 }, "9-u");
  newest().onerror?.({} as Event);
  assert.equal(stream.connection, "waiting");
  assert.ok(sources[0]?.closed);
  pass(499);
  assert.equal(sources.length, 1);
  pass(1);
  assert.equal(sources.length, 2);
  assert.equal(newest().at, "/api/stream?study=a+b&last=9-u");
  newest().onerror?.({} as Event);
  pass(999);
  assert.equal(sources.length, 2);
  pass(1);
  assert.equal(sources.length, 3);
  for (let i = 0; i < 20; i += 1) newest().onerror?.({} as Event);
  pass(30_000);
  assert.equal(sources.length, 4);
  newest().say("ping", {});
  assert.equal(stream.connection, "open");
  newest().onerror?.({} as Event);
  pass(500);
  assert.equal(sources.length, 5);
});

void test("silence is a lost connection, pings are not silence", () => {
  const { world, sources, newest, pass } = made();
  const stream = new Stream(world);
  stream.follow(STUDY);
  for (let i = 0; i < 5; i += 1) {
    pass(30_000);
    newest().say("ping", {});
  }
  assert.equal(sources.length, 1);
  pass(40_000);
  assert.equal(stream.connection, "waiting");
  assert.ok(sources[0]?.closed);
});

void test("it rests while nobody looks, and is back at once", () => {
  const { world, sources, newest, pass, look } = made();
  const stream = new Stream(world);
  stream.follow(STUDY);
  newest().say("delta", { seq: 3 }, "3-u");
  look(false);
  pass(9_000);
  look(true);
  pass(60_000 - 41_000);
  assert.equal(sources.length, 1, "a short look away changes nothing");
  look(false);
  pass(10_000);
  assert.equal(stream.connection, "resting");
  assert.ok(sources[0]?.closed);
  pass(100_000);
  assert.equal(sources.length, 1);
  look(true);
  assert.equal(newest().at, "/api/stream?study=a+b&last=3-u");
});

void test("another study begins anew, the same one goes on", () => {
  const { world, sources, newest } = made();
  const stream = new Stream(world);
  stream.follow(STUDY);
  newest().say("delta", { seq: 3 }, "3-u");
  stream.follow({ ...STUDY });
  assert.equal(sources.length, 1);
  stream.follow({ ...STUDY, log: 2 });
  assert.equal(newest().at, "/api/stream?study=a+b&log=2&last=3-u");
  stream.follow({ ...STUDY, study: "other" });
  assert.equal(newest().at, "/api/stream?study=other");
  stream.follow(null);
  assert.equal(stream.connection, "closed");
  assert.ok(newest().closed);
});

void test("what an old connection still says is not heard", () => {
  const { world, sources, newest } = made();
  const stream = new Stream(world);
  const heard: number[] = [];
  stream.on("delta", (delta) => heard.push(delta.seq));
  stream.follow(STUDY);
  stream.follow({ ...STUDY, study: "other" });
  sources[0]?.say("delta", { seq: 1 }, "1-u");
  newest().say("gone", { study: "other", why: "deleted" });
  newest().onerror?.({} as Event);
  stream.retry();
  assert.equal(newest().at, "/api/stream?study=other");
  assert.deepEqual(heard, []);
});
