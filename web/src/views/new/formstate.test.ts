import assert from "node:assert/strict";
import test from "node:test";
import {
  faultAt,
  faultsOf,
  fieldsOf,
  modeOf,
  methodOf,
  modesFor,
  optionAt,
  optionFields,
  revived,
  rowFault,
  startCommand,
  startRow,
  startState,
  submission,
  valuesText,
  withOption,
} from "./formstate.ts";
import type { Form, FormOption, FormRow } from "./formstate.ts";

const all = ["single", "multiple", "linear", "logspace", "random", "range"] as const;
const lr: FormRow = {
  name: "lr",
  type: "float",
  start: { mode: "single", name: "lr", value: 0.001 },
  modes: [...all],
  default: 0.001,
  required: false,
  several: false,
};
const width: FormRow = {
  ...lr,
  name: "width",
  type: "integer",
  modes: ["declared", ...all],
  start: {
    mode: "range",
    name: "width",
    kind: "int",
    min: 8,
    max: 64,
    step: 8,
    mean: "",
    sd: "",
    values: [],
  },
  default: null,
};
function option(name: string, kind: FormOption["kind"], usual: unknown, given: unknown = null): FormOption {
  return { name, text: "", kind, default: usual, words: [], given };
}
const form: Form = {
  target: { file: "train.py" },
  dialect: "script",
  name: "train",
  rows: [lr, width],
  kind: "grid",
  kinds: ["single", "grid", "random", "bayesian"],
  objective: { metric: "loss", goal: "minimize", value: null },
  objectives: [],
  metrics: ["loss"],
  search: "auto",
  schedule: "none",
  searchers: [{ name: "tpe", text: "", options: [option("start", "number", 10, 5)] }],
  schedules: [
    { name: "none", text: "", options: [] },
    {
      name: "asha",
      text: "",
      options: [option("eta", "number", 3), option("levels", "numbers", null, [1, 5, 20])],
    },
  ],
  trials: null,
  batch: null,
  workers: 1,
  time: null,
  remarks: [],
};

void test("a row begins with its default in every mode", () => {
  const row = startRow(lr);
  assert.deepEqual([row.mode, row.value, row.values, row.kind], ["single", "0.001", "0.001", "uniform"]);
  const range = startRow(width);
  assert.deepEqual(
    [range.mode, range.kind, range.min, range.max, range.step],
    ["range", "int", "8", "64", "8"],
  );
  const opt = { ...lr, name: "opt", type: "string", default: "adam", choices: ["adam", "sgd"] };
  assert.deepEqual([startRow(opt).values, startRow(opt).kind], ["adam\nsgd", "choice"]);
});

void test("each mode sends its own fields alone", () => {
  const state = startState(form);
  const given = {
    ...startRow(lr),
    start: "-5",
    end: "-1",
    count: "5",
    values: "1\n\n 2 ",
    min: "0",
    max: "1",
  };
  const rows = all.map((mode) => {
    const edited = { ...state, kind: "random" as const, rows: { lr: { ...given, mode } } };
    return submission(form, edited).rows?.[0];
  });
  assert.deepEqual(rows, [
    { mode: "single", name: "lr", value: "0.001" },
    { mode: "multiple", name: "lr", values: ["1", "2"] },
    { mode: "linear", name: "lr", start: "-5", end: "-1", step: "" },
    { mode: "logspace", name: "lr", start: "-5", end: "-1", count: "5", base: "10", integerify: false },
    {
      mode: "random",
      name: "lr",
      min: "0",
      max: "1",
      count: "5",
      distribution: "uniform",
      seed: "",
      integerify: false,
    },
    { mode: "range", name: "lr", kind: "uniform", min: "0", max: "1", mean: "", sd: "", step: "" },
  ]);
});

void test("what a kind of study has no use for is not sent", () => {
  const state = { ...startState(form), search: "tpe", batch: "4", trials: "50", tags: " a, b ,, c" };
  const sent = (kind: Form["kind"]) => submission(form, { ...state, kind });
  assert.deepEqual(
    [sent("bayesian").search, sent("bayesian").batch, sent("bayesian").trials],
    ["tpe", 4, 50],
  );
  assert.deepEqual([sent("grid").search, sent("grid").batch, sent("grid").trials], [null, null, 50]);
  assert.equal(sent("single").trials, null);
  assert.deepEqual(sent("grid").tags, ["a", "b", "c"]);
});

void test("options are sent where they are not as the file has them, and stay with their method", () => {
  const state = { ...startState(form), kind: "bayesian" as const, search: "tpe", schedule: "asha" };
  const asha = methodOf(form, state, "schedule");
  const [eta, levels] = asha?.options ?? [];
  assert.ok(asha && eta && levels);
  assert.deepEqual(
    [optionAt(state, "schedule", asha, eta), optionAt(state, "schedule", asha, levels)],
    ["", "1, 5, 20"],
  );
  assert.deepEqual(submission(form, state).schedule_options, {});
  const edited = { ...state, options: withOption(state, "schedule", "asha", "eta", " 4 ") };
  const cleared = { ...edited, options: withOption(edited, "schedule", "asha", "levels", "") };
  assert.deepEqual(submission(form, cleared).schedule_options, { eta: "4", levels: "" });
  assert.deepEqual(submission(form, { ...cleared, schedule: "none" }).schedule_options, {});
  assert.deepEqual(submission(form, { ...cleared, kind: "single" }).schedule_options, {});
  assert.deepEqual(optionFields(form, state), ["search.start", "schedule.eta", "schedule.levels"]);
  assert.deepEqual(revived(form, JSON.stringify(cleared)).options, cleared.options);
  assert.equal(
    methodOf(form, { ...state, kind: "random" }, "search"),
    undefined,
    "none is known of that name",
  );
});

void test("one execution takes one value, and a grid no range of the searcher", () => {
  assert.deepEqual(modesFor(width, "single"), ["single"]);
  assert.equal(modeOf(width, startRow(width), "single"), "single");
  assert.equal(modesFor(lr, "grid").includes("range"), false);
  assert.equal(modesFor(width, "grid").includes("range"), true, "a range of the file stays to be seen");
});

void test("a form that was kept comes back, as far as it fits", () => {
  const state = startState(form);
  const edited = {
    ...state,
    kind: "random" as const,
    rows: { lr: { ...startRow(lr), mode: "linear" as const } },
  };
  const found = revived(form, JSON.stringify(edited));
  assert.deepEqual(
    [found.kind, found.rows["lr"]?.mode, found.rows["width"]?.mode],
    ["random", "linear", "range"],
  );
  assert.deepEqual(revived(form, "{oops"), state);
  assert.deepEqual(revived(form, null), state);
  assert.equal(revived({ ...form, kinds: ["grid"] }, JSON.stringify(edited)).kind, "grid");
});

void test("numbers that are none are said before the server is asked", () => {
  const faults = faultsOf({
    ...startState(form),
    trials: "x",
    workers: "0",
    seed: "0",
    goal: "approach",
    value: "1e-",
  });
  assert.deepEqual(
    faults.map((fault) => fault.field),
    ["trials", "workers", "value"],
  );
});

void test("a fault is shown at its field, else at its row", () => {
  const faults = [
    { row: "lr", field: "end", message: "expected a number" },
    { row: "width", field: "", message: "is a range" },
  ];
  assert.equal(faultAt(faults, "lr", "end"), "expected a number");
  assert.equal(rowFault(faults, "lr", fieldsOf("linear", "uniform")), undefined);
  assert.equal(rowFault(faults, "lr", fieldsOf("single", "uniform")), "expected a number");
  assert.equal(rowFault(faults, "width", fieldsOf("range", "int")), "is a range");
});

void test("values are told with their number", () => {
  assert.equal(valuesText({ name: "w", domain: "4, 16, 64, 256", count: 4 }), "4, 16, 64, 256 — 4 values");
  assert.equal(valuesText({ name: "w", domain: "32", count: 1 }), "32 — 1 value");
  assert.equal(valuesText({ name: "w", domain: "0 .. 1", count: null }), "0 .. 1");
});

void test("the REST command carries the same JSON", () => {
  const asked = submission(form, startState(form));
  const command = startCommand(asked, "http://h:1", (words) => `'${words}'`);
  assert.deepEqual(JSON.parse(command.slice(command.indexOf("'{") + 1, -1)), { study: asked });
});
