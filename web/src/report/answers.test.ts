import assert from "node:assert/strict";
import { test } from "node:test";
import { answering, type Embedded } from "./answers.ts";

const data: Embedded = {
  format: 1,
  study: "a b",
  made: "",
  version: "",
  answers: { "/api/me": { role: "read" } },
  views: { history: { defaults: { over: "trial", marks: "5000" }, records: { "": "plain", "log=true&over=time": "timed" }, refused: { "x=1": "no" } } },
  trials: {
    of: 12,
    seq: 77,
    columns: { number: [3, 0, 9], state: ["complete", "failed", "pruned"], value: [0.9, null, 0.5] },
    params: { lr: [1, 2, 3], opt: { at: [0, 2], values: ["b", "a"] } },
    values: { acc: [0.9, "NaN", 0.5] },
    losses: [-0.9, null, -0.5],
  },
}; // prettier-ignore
const answer = answering(data);
const rows = (where: string) =>
  (answer(where) as { json: { rows: { number: number }[]; total: number; of: number } }).json;
const at = "/api/studies/a%20b";

void test("what was embedded is answered, whatever stands in the query", () => {
  assert.deepEqual(answer("/api/me?x=1"), { json: { role: "read" } });
});

void test("a view is found by the options that differ from their defaults, in any order", () => {
  assert.deepEqual(answer(`${at}/views/history`), { json: "plain" });
  assert.deepEqual(answer(`${at}/views/history?over=trial&where=&marks=5000`), { json: "plain" });
  assert.deepEqual(answer(`${at}/views/history?over=time&log=true`), { json: "timed" });
  assert.deepEqual(answer(`${at}/views/history?over=time&marks=800&log=true`), { json: "timed" });
  assert.deepEqual(answer(`${at}/views/history?x=1`), { status: 400, detail: "no" });
  assert.match((answer(`${at}/views/history?over=cost`) as { detail: string }).detail, /not in this file/);
  assert.match((answer(`${at}/views/history?where=lr<1`) as { detail: string }).detail, /part of the trials/);
  assert.match((answer(`${at}/views/none`) as { detail: string }).detail, /this view is not in this file/);
});

void test("rows are sorted and filtered here, the best first, those without a value last", () => {
  const numbers = (query: string) => rows(`${at}/trials?${query}`).rows.map((row) => row.number);
  assert.deepEqual(numbers(""), [3, 0, 9]);
  assert.deepEqual(numbers("sort=value"), [3, 9, 0]);
  assert.deepEqual(numbers("sort=-value"), [9, 3, 0]);
  assert.deepEqual(numbers("sort=params.opt"), [9, 3, 0]);
  assert.deepEqual(numbers("sort=-params.lr&limit=1&offset=1"), [0]);
  assert.deepEqual(numbers("where=lr > 1 and opt == 'a'"), [9]);
  assert.deepEqual([rows(`${at}/trials`).total, rows(`${at}/trials`).of], [3, 12]);
  assert.match((answer(`${at}/trials?where=nothing < 1`) as { detail: string }).detail, /no column nothing/);
});

void test("a mask has the bits of the trials that match", () => {
  const bits = (answer(`${at}/mask?where=lr >= 2`) as { bytes: Uint8Array }).bytes;
  assert.deepEqual([...bits], [1, 2]);
});

void test("anything else says that it is not here and what to do", () => {
  for (const where of [
    `${at}/trials/7`,
    `${at}/trials/3/log`,
    "/api/studies/other",
    "https://example.org/",
  ]) {
    assert.match(
      (answer(where) as { detail: string }).detail,
      /not in this file; open the study with rung ui/,
    );
  }
});
