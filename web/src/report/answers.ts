import { filter, Unreadable, type Row } from "./filter.ts";

/** A column of the trials: a value each, or (`at`) only of those that have one. */
type Column = readonly unknown[] | { at: readonly number[]; values: readonly unknown[] };

/** The data that a report carries: the answers of the server at the time when it was made. */
export type Embedded = {
  format: 1;
  study: string;
  made: string;
  version: string;
  /** Addresses without a query, and what was answered. */
  answers: Record<string, unknown>;
  /** Views: the options that were left at their defaults, and the records by the options that were not. */
  views: Record<
    string,
    {
      defaults: Record<string, string>;
      records: Record<string, unknown>;
      /** Why there is no record, by the same options. */
      refused: Record<string, string>;
    }
  >;
  trials: {
    of: number;
    seq: number;
    columns: Record<string, Column>;
    params: Record<string, Column>;
    values: Record<string, Column>;
    /** How bad each row is: what `sort=value` goes by. */
    losses: readonly (number | null)[];
  };
};

/** An answer: JSON or bytes, or why there is none. */
export type Answer = { json: unknown } | { bytes: Uint8Array } | { status: number; detail: string };

/** Answers for the addresses that the live page asks its server. */
export function answering(data: Embedded): (where: string) => Answer {
  const base = `/api/studies/${encodeURIComponent(data.study)}`;
  let rows: Row[] | null = null;
  const all = () => (rows ??= rowsOf(data));
  return (where) => {
    const [path = "", query = ""] = where.split("?");
    const words = new URLSearchParams(query);
    const fixed = data.answers[path];
    if (fixed !== undefined) return { json: fixed };
    try {
      if (path.startsWith(`${base}/views/`)) return view(data, path.slice(base.length + 7), words);
      if (path === `${base}/trials`) return { json: page(data, all(), words) };
      if (path === `${base}/mask`) return { bytes: mask(data, all(), words.get("where") ?? "") };
    } catch (error) {
      if (error instanceof Unreadable) return { status: 400, detail: error.message };
      throw error;
    }
    return absent(
      /\/trials\/\d+/.test(path) ? (/\/log$/.test(path) ? "a trial's output" : "this trial's page") : "this",
    );
  };
}

function absent(what: string): Answer {
  return {
    status: 404,
    detail: `${what} is not in this file; open the study with rung ui, or make the report anew with rung export`,
  };
}

function view(data: Embedded, name: string, words: URLSearchParams): Answer {
  const found = data.views[decodeURIComponent(name)];
  if (found === undefined) return absent("this view");
  // The file holds one choice of marks of each view: however many a plot asks for, it is given that.
  const given = [...words].filter(
    ([key, value]) => key !== "marks" && value !== "" && value !== (found.defaults[key] ?? ""),
  );
  if (given.some(([key]) => key === "where")) {
    return {
      status: 404,
      detail:
        "plots of a part of the trials are not in this file; the table can be filtered, and rung ui can do both",
    };
  }
  const key = new URLSearchParams(given.sort(([a], [b]) => (a < b ? -1 : 1))).toString();
  const why = found.refused[key];
  if (why !== undefined) return { status: 400, detail: why };
  const record = found.records[key];
  return record === undefined ? absent("this choice of options") : { json: record };
}

/** The rows that the columns hold. */
export function rowsOf({ trials }: Embedded): Row[] {
  const { columns, params, values } = trials;
  const count = (columns.number as readonly unknown[]).length;
  const rows = Array.from({ length: count }, (): Row => ({
    number: 0,
    state: "",
    value: null,
    params: {},
    values: {},
  }));
  for (const [name, column] of Object.entries(columns))
    each(column, (at, value) => ((rows[at] as Row)[name] = value));
  for (const [name, column] of Object.entries(params))
    each(column, (at, value) => ((rows[at] as Row).params[name] = value));
  for (const [name, column] of Object.entries(values))
    each(column, (at, value) => ((rows[at] as Row).values[name] = value));
  return rows;
}

function each(column: Column, set: (at: number, value: unknown) => void): void {
  if ("at" in column && !Array.isArray(column)) {
    const { at, values } = column as { at: readonly number[]; values: readonly unknown[] };
    at.forEach((row, i) => set(row, values[i]));
  } else (column as readonly unknown[]).forEach((value, row) => set(row, value));
}

function known(data: Embedded) {
  return { params: Object.keys(data.trials.params), metrics: Object.keys(data.trials.values) };
}

function page(data: Embedded, rows: readonly Row[], words: URLSearchParams) {
  const holds = filter(words.get("where") ?? "", known(data));
  const places = rows.map((_, at) => at).filter((at) => holds(rows[at] as Row));
  const sorted = order(data, rows, places, words.get("sort") ?? "");
  const offset = Number(words.get("offset") ?? 0);
  const limit = Number(words.get("limit") ?? 100);
  return {
    total: sorted.length,
    of: data.trials.of,
    seq: data.trials.seq,
    rows: sorted.slice(offset, offset + limit).map((at) => rows[at]),
  };
}

/** The places in the order of a column; those without a value come last, whichever way round. */
export function order(data: Embedded, rows: readonly Row[], places: number[], sort: string): number[] {
  const back = sort.startsWith("-");
  const name = (back ? sort.slice(1) : sort).replaceAll("`", "");
  if (name === "" || name === "number") return back ? [...places].reverse() : places;
  const of = (at: number): unknown => {
    const row = rows[at] as Row;
    if (name === "value") return data.trials.losses[at] ?? null;
    if (name.startsWith("params.")) return row.params[name.slice(7)];
    if (name.startsWith("metrics.")) return row.values[name.slice(8)];
    return row[name] ?? row.params[name] ?? row.values[name];
  };
  const keys = new Map(places.map((at) => [at, sortable(of(at))]));
  return [...places].sort((one, other) => {
    const [a, b] = [keys.get(one) ?? null, keys.get(other) ?? null];
    if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0) || one - other;
    const less = typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
    return (back ? -less : less) || one - other;
  });
}

function sortable(value: unknown): number | string | null {
  if (value === null || value === undefined || value === "NaN") return null;
  if (value === "Infinity" || value === "-Infinity") return Number(value);
  if (typeof value === "number" || typeof value === "string") return value;
  return typeof value === "boolean" ? Number(value) : JSON.stringify(value);
}

/** Bit `n` says whether trial `n` matches; of a trial that is not in the file it says no. */
function mask(data: Embedded, rows: readonly Row[], where: string): Uint8Array {
  const holds = filter(where, known(data));
  const bits = new Uint8Array(Math.ceil(data.trials.of / 8));
  for (const row of rows)
    if (holds(row)) bits[row.number >> 3] = (bits[row.number >> 3] ?? 0) | (1 << (row.number & 7));
  return bits;
}
