import { address, answered } from "./client.ts";

/** A column's raw values: numbers (NaN where missing), or codes into `categories` (-1 where missing). */
export type Column = {
  name: string;
  values: Float64Array | Int32Array | Uint8Array;
  categories: readonly unknown[] | null;
};

/** Columns of `rows` trials, out of `matching` ones, `of` all; as of event `seq`. */
export type Columns = {
  seq: number;
  rows: number;
  matching: number;
  of: number;
  columns: ReadonlyMap<string, Column>;
};

type Header = {
  seq: number;
  rows: number;
  matching: number;
  of: number;
  columns: {
    name: string;
    type: "f64" | "i32" | "u8" | "codes";
    offset: number;
    length: number;
    categories: unknown[] | null;
  }[];
};

const MAGIC = "RUNGCOL1";
const START = 16;

/** The columns in what the server packed; the arrays are views of `data`, not copies. Throws for anything else. */
export function unpacked(data: ArrayBuffer): Columns {
  const bytes = new Uint8Array(data);
  const text = new TextDecoder();
  if (data.byteLength < START || text.decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) {
    throw new Error("the server sent something that is no table of columns");
  }
  const length = new DataView(data).getUint32(MAGIC.length, true);
  const header = JSON.parse(text.decode(bytes.subarray(START, START + length))) as Header;
  const columns = new Map<string, Column>();
  for (const one of header.columns) {
    const at = START + length + one.offset;
    columns.set(one.name, {
      name: one.name,
      values: array(data, one.type, at, one.length),
      categories: one.categories,
    });
  }
  return { seq: header.seq, rows: header.rows, matching: header.matching, of: header.of, columns };
}

function array(data: ArrayBuffer, type: Header["columns"][number]["type"], at: number, length: number) {
  switch (type) {
    case "f64":
      return new Float64Array(data, at, length / 8);
    case "u8":
      return new Uint8Array(data, at, length);
    default:
      return new Int32Array(data, at, length / 4);
  }
}

/** The value of a row: a number or a category; null where it is missing. */
export function valueAt(column: Column, row: number): unknown {
  const value = column.values[row];
  if (value === undefined || Number.isNaN(value)) return null;
  if (column.categories === null) return value;
  return value < 0 ? null : column.categories[value];
}

/** Asks for columns; `marks`: at most so many rows, the best and the extremes among them. Throws `Refused`. */
export async function readColumns(
  study: string,
  given: {
    names?: readonly string[];
    where?: string;
    sort?: string;
    marks?: number;
    signal?: AbortSignal;
  } = {},
): Promise<Columns> {
  const { names, where, sort, marks, signal } = given;
  const at = address(
    "/api/studies/{study}/columns",
    { study },
    { names: names?.join(","), where, sort, marks },
  );
  return unpacked(await (await answered(at, { signal })).arrayBuffer());
}
