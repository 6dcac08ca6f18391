import type { components } from "../../api/schema.ts";

type Schemas = components["schemas"];

/** What the server says of a target. */
export type Form = Schemas["Form"];
/** What the server says of one parameter. */
export type FormRow = Schemas["FormRow"];
/** What is sent. */
export type Submission = Schemas["Submission"];
/** What would happen. */
export type Preview = Schemas["Preview"];
/** What is wrong, and where. */
export type Fault = Schemas["Fault"];
/** A searcher or a schedule. */
export type Method = Schemas["Method"];
/** An option of one of them. */
export type FormOption = Schemas["FormOption"];
/** Who proposes, or who stops early. */
export type Part = "search" | "schedule";
/** A sort of study. */
export type Kind = Form["kind"];
/** How a parameter is varied. */
export type Mode = FormRow["modes"][number];
/** A domain that a searcher samples from. */
export type RangeKind = Schemas["Range"]["kind"];
type Sent = NonNullable<Submission["rows"]>[number];

/** A row as it is edited: texts as they are typed, kept for every mode, so that going back to one loses nothing. */
export type RowState = {
  mode: Mode;
  value: string;
  values: string;
  start: string;
  end: string;
  step: string;
  count: string;
  base: string;
  min: string;
  max: string;
  mean: string;
  sd: string;
  distribution: "uniform" | "loguniform";
  seed: string;
  kind: RangeKind;
  integerify: boolean;
};

/** The form as it is edited. */
export type FormState = {
  kind: Kind;
  rows: Record<string, RowState>;
  name: string;
  metric: string;
  goal: Submission["goal"];
  value: string;
  search: string;
  schedule: string;
  /** What was typed for options, by method and option: going back to a method loses nothing. */
  options: Record<Part, Record<string, Record<string, string>>>;
  trials: string;
  batch: string;
  workers: string;
  time: string;
  seed: string;
  tags: string;
};

const BLANK: RowState = {
  mode: "single",
  value: "",
  values: "",
  start: "",
  end: "",
  step: "",
  count: "",
  base: "10",
  min: "",
  max: "",
  mean: "",
  sd: "",
  distribution: "uniform",
  seed: "",
  kind: "uniform",
  integerify: false,
};

function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(text).join("\n");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** How a row begins: as the target has it, with its default in every mode that takes a value. */
export function startRow(row: FormRow): RowState {
  const { start } = row;
  const value = text(row.default);
  const numeric = row.type === "integer" || row.type === "float" || Number.isFinite(Number(value || "x"));
  const blank: RowState = {
    ...BLANK,
    value,
    values: row.choices ? text(row.choices) : value,
    kind: row.choices || !numeric ? "choice" : row.type === "integer" ? "int" : "uniform",
  };
  const given = Object.entries(start).filter(([key]) => key !== "name");
  const texts = given.map(([key, found]) => [
    key,
    typeof found === "boolean" && key === "integerify" ? found : text(found),
  ]);
  return { ...blank, ...(Object.fromEntries(texts) as Partial<RowState>) };
}

/** The form as nobody has changed it yet. */
export function startState(form: Form): FormState {
  return {
    kind: form.kind,
    rows: Object.fromEntries(form.rows.map((row) => [row.name, startRow(row)])),
    name: "",
    metric: form.objective.metric,
    goal: form.objective.goal,
    value: text(form.objective.value),
    search: form.search,
    schedule: form.schedule,
    options: { search: {}, schedule: {} },
    trials: text(form.trials),
    batch: text(form.batch),
    workers: text(form.workers),
    time: form.time ?? "",
    seed: "",
    tags: "",
  };
}

/** A form that was kept, as far as it still fits: parameters may have come and gone since. */
export function revived(form: Form, kept: string | null): FormState {
  const fresh = startState(form);
  try {
    const found = JSON.parse(kept ?? "null") as Partial<FormState> | null;
    if (found === null || typeof found !== "object") return fresh;
    const rows = form.rows.map((row) => {
      const old = found.rows?.[row.name];
      const fits = old !== undefined && row.modes.includes(old.mode);
      return [row.name, fits ? { ...startRow(row), ...old } : startRow(row)];
    });
    const kind = found.kind && form.kinds.includes(found.kind) ? found.kind : fresh.kind;
    const options = { ...fresh.options, ...found.options };
    return { ...fresh, ...found, kind, options, rows: Object.fromEntries(rows) as FormState["rows"] };
  } catch {
    return fresh;
  }
}

/** The modes that a row can have in a study of this kind. */
export function modesFor(row: FormRow, kind: Kind): Mode[] {
  if (kind === "single") return row.modes.includes("single") ? ["single"] : row.modes;
  if (kind !== "grid") return row.modes;
  // a range that the file declares stays to be seen, with what is wrong about it in a grid
  return row.modes.filter((mode) => mode !== "range" || row.start.mode === "range");
}

/** The mode that counts: one execution takes one value, whatever the row had in another kind of study. */
export function modeOf(row: FormRow, state: RowState, kind: Kind): Mode {
  const modes = modesFor(row, kind);
  return modes.includes(state.mode)
    ? state.mode
    : (modes.find((mode) => mode === "single") ?? modes[0] ?? "single");
}

function lines(value: string): string[] {
  const found = value.split("\n").map((line) => line.trim());
  return found.filter((line) => line !== "");
}

function sent(row: FormRow, state: RowState, kind: Kind): Sent {
  const { name } = row;
  const { start, end, step, count, base, min, max, mean, sd, seed, distribution, integerify } = state;
  switch (modeOf(row, state, kind)) {
    case "declared":
      return { mode: "declared", name };
    case "multiple":
      return { mode: "multiple", name, values: lines(state.values) };
    case "linear":
      return { mode: "linear", name, start, end, step };
    case "logspace":
      return { mode: "logspace", name, start, end, count, base, integerify };
    case "random":
      return { mode: "random", name, min, max, count, distribution, seed, integerify };
    case "range":
      return range(name, state, { min, max, mean, sd, step });
    default:
      return { mode: "single", name, value: row.several ? lines(state.value) : state.value };
  }
}

function range(
  name: string,
  state: RowState,
  given: Record<"min" | "max" | "mean" | "sd" | "step", string>,
): Sent {
  const { kind } = state;
  const none = { min: "", max: "", mean: "", sd: "", step: "" };
  if (kind === "choice") return { mode: "range", name, kind, ...none, values: lines(state.values) };
  const { min, max, mean, sd, step } = given;
  if (kind === "normal" || kind === "lognormal")
    return { mode: "range", name, kind, ...none, mean, sd, min, max };
  const stepped = kind === "uniform" || kind === "int" ? step : "";
  return { mode: "range", name, kind, ...none, min, max, step: stepped };
}

/** The searcher or the schedule that the form asks for; none where one execution needs none. */
export function methodOf(form: Form, state: FormState, part: Part): Method | undefined {
  if (state.kind === "single") return undefined;
  const searcher = state.kind === "bayesian" ? state.search : state.kind;
  const [methods, name] = part === "search" ? [form.searchers, searcher] : [form.schedules, state.schedule];
  return methods.find((method) => method.name === name);
}

/** A value of an option as one would type it. */
export function optionText(value: unknown): string {
  const plain = Array.isArray(value) && value.every((item) => typeof item !== "object");
  return plain ? value.map(text).join(", ") : text(value);
}

/** What stands in the field of an option: what was typed, else what the file has. */
export function optionAt(state: FormState, part: Part, method: Method, option: FormOption): string {
  const typed = own(own(state.options[part], method.name), option.name);
  return typed ?? optionText(option.given);
}

/** The form's options with that text for one of them. */
export function withOption(
  state: FormState,
  part: Part,
  method: string,
  option: string,
  typed: string,
): FormState["options"] {
  const of = state.options[part];
  return {
    ...state.options,
    [part]: { ...of, [method]: { ...own(of, method), [option]: typed } },
  };
}

/** The names of the form's fields for options, as faults name them. */
export function optionFields(form: Form, state: FormState): string[] {
  return (["search", "schedule"] as const).flatMap((part) =>
    (methodOf(form, state, part)?.options ?? []).map((option) => `${part}.${option.name}`),
  );
}

function own<T>(record: Record<string, T> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The options that are not as the file has them, as they were typed; blank: the default. */
function sentOptions(form: Form, state: FormState, part: Part): Record<string, string> {
  const method = methodOf(form, state, part);
  if (method === undefined) return {};
  const changed = (method.options ?? []).flatMap((option) => {
    const typed = optionAt(state, part, method, option).trim();
    return typed === optionText(option.given) ? [] : [[option.name, typed] as const];
  });
  return Object.fromEntries(changed);
}

/** A whole number, null for nothing, NaN for anything else: which the server is never asked about. */
function whole(value: string): number | null {
  const trimmed = value.trim();
  return trimmed === "" ? null : /^\d+$/.test(trimmed) ? Number(trimmed) : Number.NaN;
}

/** What is wrong with the form's own fields, before the server is asked. */
export function faultsOf(state: FormState): Fault[] {
  const found: Fault[] = [];
  for (const field of ["trials", "batch", "workers", "seed"] as const) {
    const number = whole(state[field]);
    const least = field === "seed" ? 0 : 1;
    if (number !== null && !(number >= least)) {
      found.push({ row: "", field, message: `expected a whole number of ${least} or more` });
    }
  }
  if (state.goal === "approach" && state.value.trim() !== "" && !Number.isFinite(Number(state.value))) {
    found.push({ row: "", field: "value", message: "expected a number" });
  }
  return found;
}

/** What is sent to the server. `NaN` never is: `faultsOf` speaks of it. */
export function submission(form: Form, state: FormState): Submission {
  const { kind } = state;
  const learns = kind === "bayesian";
  const tags = state.tags.split(",").map((tag) => tag.trim());
  return {
    target: form.target,
    kind,
    rows: form.rows.flatMap((row) => {
      const found = state.rows[row.name];
      return found === undefined ? [] : [sent(row, found, kind)];
    }),
    name: state.name.trim() || null,
    metric: state.metric.trim() || null,
    goal: state.goal,
    value: state.goal === "approach" && state.value.trim() !== "" ? Number(state.value) : null,
    search: learns ? state.search : null,
    schedule: kind === "single" ? null : state.schedule,
    search_options: sentOptions(form, state, "search"),
    schedule_options: sentOptions(form, state, "schedule"),
    trials: kind === "single" ? null : whole(state.trials),
    batch: learns ? whole(state.batch) : null,
    workers: whole(state.workers),
    time: state.time.trim() || null,
    seed: whole(state.seed),
    tags: tags.filter((tag) => tag !== ""),
  };
}

/** What is wrong at this field; the row's own complaint where a row has no such field. */
export function faultAt(faults: readonly Fault[], row: string, field: string): string | undefined {
  return faults.find((fault) => fault.row === row && fault.field === field)?.message;
}

/** What is wrong with a row and no field of it shows. */
export function rowFault(
  faults: readonly Fault[],
  row: string,
  shown: readonly string[],
): string | undefined {
  return faults.find((fault) => fault.row === row && !shown.includes(fault.field))?.message;
}

/** The fields that a mode shows. */
export function fieldsOf(mode: Mode, kind: RangeKind): string[] {
  const fields: Record<Mode, string[]> = {
    declared: [],
    single: ["value"],
    multiple: ["values"],
    linear: ["start", "end", "step"],
    logspace: ["start", "end", "count", "base"],
    random: ["min", "max", "count", "distribution", "seed"],
    range: ["kind"],
  };
  if (mode !== "range") return fields[mode];
  if (kind === "choice") return ["kind", "values"];
  if (kind === "normal" || kind === "lognormal") return ["kind", "mean", "sd", "min", "max"];
  return kind === "uniform" || kind === "int" ? ["kind", "min", "max", "step"] : ["kind", "min", "max"];
}

/** "4, 16, 64, 256 — 4 values", or the domain that is sampled from. */
export function valuesText(row: Preview["rows"][number]): string {
  if (row.count === null || row.count === undefined) return row.domain;
  return `${row.domain} — ${row.count.toLocaleString("en")} value${row.count === 1 ? "" : "s"}`;
}

/** The command that starts the same study through the REST API. */
export function startCommand(asked: Submission, origin: string, quoted: (text: string) => string): string {
  const body = quoted(JSON.stringify({ study: asked }));
  const headers = `-H "Authorization: Bearer $RUNG_TOKEN" -H 'Content-Type: application/json'`;
  return `curl -sS -X POST ${headers} ${quoted(`${origin}/api/project/start`)} -d ${body}`;
}
