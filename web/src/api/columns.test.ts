import assert from "node:assert/strict";
import { test } from "node:test";
import { unpacked, valueAt } from "./columns.ts";

// The format, written by hand from its description.
function packed(): ArrayBuffer {
  const header = {
    seq: 7,
    rows: 3,
    matching: 5,
    of: 9,
    columns: [
      { name: "params.lr", type: "f64", offset: 0, length: 24, categories: null },
      { name: "number", type: "i32", offset: 24, length: 12, categories: null },
      { name: "state", type: "codes", offset: 40, length: 12, categories: ["läuft", "complete"] },
      { name: "flag", type: "u8", offset: 56, length: 3, categories: null },
    ],
  };
  let text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(32);
  padded.set(text);
  text = padded;
  const data = new ArrayBuffer(16 + text.length + 64);
  const view = new DataView(data);
  new Uint8Array(data).set(new TextEncoder().encode("RUNGCOL1"));
  view.setUint32(8, text.length, true);
  new Uint8Array(data).set(text, 16);
  const from = 16 + text.length;
  [0.1, Number.NaN, Infinity].forEach((value, i) => view.setFloat64(from + 8 * i, value, true));
  [4, 5, 6].forEach((value, i) => view.setInt32(from + 24 + 4 * i, value, true));
  [1, -1, 0].forEach((value, i) => view.setInt32(from + 40 + 4 * i, value, true));
  [0, 1, 255].forEach((value, i) => view.setUint8(from + 56 + i, value));
  return data;
}

void test("numbers, codes and bytes are read as typed arrays", () => {
  const table = unpacked(packed());
  assert.deepEqual([table.seq, table.rows, table.matching, table.of], [7, 3, 5, 9]);
  assert.deepEqual([...table.columns.keys()], ["params.lr", "number", "state", "flag"]);
  assert.deepEqual([...(table.columns.get("params.lr")?.values ?? [])], [0.1, Number.NaN, Infinity]);
  assert.deepEqual([...(table.columns.get("number")?.values ?? [])], [4, 5, 6]);
  assert.deepEqual([...(table.columns.get("flag")?.values ?? [])], [0, 1, 255]);
});

void test("a value is null where it is missing", () => {
  const table = unpacked(packed());
  const values = (name: string) => {
    const column = table.columns.get(name);
    return column && [0, 1, 2, 3].map((row) => valueAt(column, row));
  };
  assert.deepEqual(values("params.lr"), [0.1, null, Infinity, null]);
  assert.deepEqual(values("state"), ["complete", null, "läuft", null]);
});

void test("anything else is refused", () => {
  assert.throws(() => unpacked(new ArrayBuffer(4)), /no table/);
  assert.throws(() => unpacked(new TextEncoder().encode("RUNGCOL2........").buffer), /no table/);
});
