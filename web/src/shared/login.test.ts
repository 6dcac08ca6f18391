import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenIn, tokenMeant } from "./login.ts";

void test("a token is taken out of the fragment, what else is there stays", () => {
  assert.deepEqual(tokenIn("#token=a-b_c"), { token: "a-b_c", rest: "" });
  assert.deepEqual(tokenIn("#token=a&trial=7"), { token: "a", rest: "#trial=7" });
  assert.deepEqual(tokenIn("#trial=7"), { token: "", rest: "#trial=7" });
  assert.deepEqual(tokenIn(""), { token: "", rest: "" });
});

void test("an address may be pasted instead of a token", () => {
  assert.equal(tokenMeant(" a-b_c\n"), "a-b_c");
  assert.equal(tokenMeant("http://127.0.0.1:8585/#token=a-b_c"), "a-b_c");
  assert.equal(tokenMeant("http://127.0.0.1:8585/#other=1"), "");
});
