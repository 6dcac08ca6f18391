import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { pythonQuoted, shellQuoted, trialsTexts, viewTexts } from "./copytexts.ts";

const NASTY = [
  "plain",
  "two words",
  "it's",
  '"double" $HOME `id` \\ !',
  "<img src=x onerror=alert(1)>",
  "-rf",
  "",
  "a\nb\tc",
  "ünï✓\u2028",
  "params.`odd name` == 'x' and lr <= 1e-3",
];

void test("a real shell reads every word back as it was", () => {
  for (const text of NASTY) {
    const read = execFileSync("sh", ["-c", `printf %s. ${shellQuoted(text)}`], { encoding: "utf8" });
    assert.equal(read, `${text}.`);
  }
});

void test("a plain word stays plain, and only a plain one", () => {
  assert.equal(shellQuoted("over=time"), "over=time");
  assert.equal(shellQuoted("a;b"), "'a;b'");
});

void test("texts for Python hold no raw line break and no raw control character", () => {
  for (const text of NASTY) {
    const quoted = pythonQuoted(text);
    assert.doesNotMatch(quoted, /[\n\r\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    assert.equal(JSON.parse(quoted), text);
  }
});

void test("a view is the same three times over", () => {
  const texts = viewTexts(
    "it's",
    "history",
    { over: "time", top: 20, log: true, where: "" },
    "http://127.0.0.1:8585",
  );
  assert.equal(texts.cli, "rung view --set over=time --set top=20 --set log=true --json 'it'\\''s' history");
  assert.equal(
    texts.python,
    `import rung\n\nrung.load("it's").view("history", over="time", top=20, log=True)`,
  );
  assert.equal(
    texts.rest,
    `curl -sS -H "Authorization: Bearer $RUNG_TOKEN" 'http://127.0.0.1:8585/api/studies/it'\\''s/views/history?over=time&top=20&log=true'`,
  );
});

void test("a filter of any text arrives", () => {
  const where = "opt in ['a b', \"c\"] and lr < 0.1";
  const { cli, rest } = trialsTexts("-x", where, "-value", "http://h:1");
  const words = execFileSync("sh", ["-c", `rung() { printf '%s\\n' "$@"; }; ${cli}`], { encoding: "utf8" });
  assert.deepEqual(words.split("\n"), [
    "trials",
    `--where=${where}`,
    "--sort=-value",
    "--json",
    "--",
    "-x",
    "",
  ]);
  const address = execFileSync("sh", ["-c", `curl() { printf %s "$4"; }; ${rest}`], { encoding: "utf8" });
  assert.equal(new URL(address).searchParams.get("where"), where);
});
