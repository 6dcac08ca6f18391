import assert from "node:assert/strict";
import { test } from "node:test";
import type { components } from "../../api/schema.ts";
import { changed, configuration, fieldsOf, first, tagChange, tagsIn, time, valueOf } from "./fields.ts";

type Parameter = components["schemas"]["ParameterInfo"];

const parameter = (given: Partial<Parameter>): Parameter => ({
  name: "lr",
  type: "float",
  min: 0,
  max: 1,
  scale: "linear",
  step: null,
  count: null,
  values: null,
  default: null,
  when: null,
  times: null,
  value: null,
  ...given,
});
const opt = parameter({ name: "opt", type: "choice", values: ["sgd", 3, true, null] });
const epochs = parameter({ name: "epochs", type: "constant", value: 30 });

void test("a field begins with the best value, else with the default", () => {
  assert.equal(first(parameter({ default: 0.5 }), { lr: 0.01 }), "0.01");
  assert.equal(first(parameter({ default: 0.5 }), {}), "0.5");
  assert.equal(first(parameter({}), {}), "");
  assert.equal(first(epochs, {}), "30");
});

void test("texts become values of the parameter's kind", () => {
  assert.equal(valueOf(parameter({}), " 1e-3 "), 0.001);
  assert.equal(valueOf(parameter({}), "much"), "much"); // the server says what is wrong with it
  assert.equal(valueOf(opt, "sgd"), "sgd");
  assert.equal(valueOf(opt, "3"), 3);
  assert.equal(valueOf(opt, "true"), true);
  assert.equal(valueOf(parameter({ type: "bool" }), "false"), false);
  assert.deepEqual(valueOf(epochs, "[1, 2]"), [1, 2]);
  assert.equal(valueOf(parameter({}), "  "), undefined);
});

void test("what is left open, and constants that stay, are not in the configuration", () => {
  assert.deepEqual(configuration([parameter({}), opt, epochs], { lr: "0.5", opt: "", epochs: "30" }), {
    lr: 0.5,
  });
  assert.deepEqual(configuration([epochs], { epochs: "3" }), { epochs: 3 });
});

void test("only what differs is set, and what is emptied is taken away", () => {
  const fields = [
    { path: "budget.trials", label: "trials", now: "50" },
    { path: "budget.time", label: "time", now: "2h" },
    { path: "run.workers", label: "workers", now: "1" },
  ];
  assert.deepEqual(changed(fields, { "budget.trials": "200", "budget.time": "", "run.workers": " 1 " }), [
    ["budget.trials", "200"],
    ["budget.time", "null"],
  ]);
});

void test("seconds as a study file writes them", () => {
  assert.deepEqual([null, 7200, 90, 300].map(time), ["", "2h", "90s", "5m"]);
});

void test("an edit of the space has the fields that the parameter's kind has", () => {
  const labels = (one: Parameter) => fieldsOf(one).map((field) => field.label);
  assert.deepEqual(labels(parameter({})), ["min", "max", "scale", "step", "default", "when"]);
  assert.deepEqual(labels(opt), ["values", "default", "when"]);
  assert.deepEqual(labels(epochs), []);
  assert.equal(fieldsOf(opt)[0]?.now, '["sgd",3,true,null]');
  assert.equal(fieldsOf(parameter({ name: "model.lr" }))[0]?.path, "parameters.model.lr.min");
});

void test("tags are words between commas", () => {
  assert.deepEqual(tagsIn(" a, b c ,,a"), ["a", "b c"]);
  assert.deepEqual(tagChange(["a", "b"], ["b", "c"]), { tag: ["c"], untag: ["a"] });
});
