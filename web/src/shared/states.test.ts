import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { palette } from "../plots/palette.ts";
import { countsInWords, MEANING, stateColour, STUDY_STATES, TRIAL_STATES } from "./states.ts";

const css = readFileSync(new URL("../page.css", import.meta.url), "utf8");

void test("badges and bars have the colours of the plots", () => {
  for (const scheme of ["light", "dark"] as const) {
    const block = css.split(`[data-mantine-color-scheme="${scheme}"] {`)[1]?.split("}")[0] ?? "";
    const { states } = palette(scheme);
    for (const [state, colour] of Object.entries({ ...states, interrupted: states.pruned })) {
      assert.ok(block.includes(`--state-${state}: ${colour};`), `${scheme} ${state} ${colour}`);
    }
  }
});

void test("every state has a meaning and a colour", () => {
  for (const state of [...TRIAL_STATES, ...STUDY_STATES]) {
    assert.ok(MEANING[state].length > 5);
    assert.equal(stateColour(state), `var(--state-${state})`);
  }
  assert.equal(stateColour("); background: url(x"), "var(--state-waiting)");
});

void test("counts are a phrase of those that there are", () => {
  assert.equal(countsInWords({ complete: 1240, failed: 2, waiting: 0 }), "1,240 complete, 2 failed");
  assert.equal(countsInWords({}), "no trials yet");
});
