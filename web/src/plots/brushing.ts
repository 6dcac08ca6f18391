/** What a brush on one column holds: numbers from `low` to `high` (null: open), or a list of values. */
export type Range = { low: number | null; high: number | null };
/** A value that a column of choices may hold. */
export type Choice = string | number | boolean | null;
/** One column's part of a selection. */
export type Part = Range | { among: readonly Choice[] };
/** A selection: at most one part a column, and conditions that no brush can draw, kept as they were written. */
export type Selection = { parts: ReadonlyMap<string, Part>; rest: readonly string[] };

/** The selection of everything. */
export const EVERYTHING: Selection = { parts: new Map(), rest: [] };

/** Whether the part is one of numbers. */
export function isRange(part: Part | undefined): part is Range {
  return part !== undefined && "low" in part;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;
const WORDS = new Set([
  "and",
  "or",
  "not",
  "in",
  "is",
  "true",
  "false",
  "null",
  "True",
  "False",
  "None",
  "if",
  "else",
]);

/** A column's name as an expression says it: in backticks where it is no plain name. */
export function named(column: string): string {
  const plain = IDENTIFIER.test(column) && !column.split(".").some((word) => WORDS.has(word));
  return plain ? column : `\`${column}\``;
}

/** A text as a literal of the expression language. */
export function literal(value: Choice): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "number") return number(value);
  const text = value
    .replace(/[\\']/g, (mark) => `\\${mark}`)
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
  return `'${text}'`;
}

// Six digits say where a hand drew; `outward` makes sure that what lies on the edge stays inside.
function number(value: number, outward: "down" | "up" | "none" = "none"): string {
  if (outward === "none") return String(value);
  const short = Number(value.toPrecision(6));
  const inside = outward === "down" ? short <= value : short >= value;
  if (inside) return String(short);
  const last = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 5);
  return String(Number((short + (outward === "down" ? -last : last)).toPrecision(6)));
}

function conditions(column: string, part: Part): string[] {
  const name = named(column);
  if ("among" in part) return [`${name} in [${part.among.map(literal).join(", ")}]`];
  const found: string[] = [];
  if (part.low !== null) found.push(`${name} >= ${number(part.low, "down")}`);
  if (part.high !== null) found.push(`${name} <= ${number(part.high, "up")}`);
  return found;
}

/** The selection as an expression; "" selects everything. */
export function written(selection: Selection): string {
  const drawn = [...selection.parts].flatMap(([column, part]) => conditions(column, part));
  return [...drawn, ...selection.rest].join(" and ");
}

/** The selection that an expression says: what a brush can draw as parts, the rest as it stands. */
export function understood(text: string): Selection {
  const parts = new Map<string, Part>();
  const rest: string[] = [];
  const terms = conjuncts(text);
  if (terms === null) return { parts, rest: [`(${text.trim()})`] };
  for (const term of terms) {
    const found = oneCondition(term);
    const earlier = found === null ? undefined : parts.get(found.column);
    if (found === null) rest.push(term);
    else if (earlier === undefined) parts.set(found.column, found.part);
    else if (isRange(earlier) && isRange(found.part)) parts.set(found.column, narrowed(earlier, found.part));
    else rest.push(term);
  }
  return { parts, rest };
}

function narrowed(one: Range, other: Range): Range {
  const low = one.low === null ? other.low : other.low === null ? one.low : Math.max(one.low, other.low);
  const high =
    one.high === null ? other.high : other.high === null ? one.high : Math.min(one.high, other.high);
  return { low, high };
}

/** The selection with other parts for some columns; null takes a column's part away. */
export function withParts(selection: Selection, changes: Record<string, Part | null>): Selection {
  const parts = new Map(selection.parts);
  for (const [column, part] of Object.entries(changes)) {
    if (part === null || (isRange(part) && part.low === null && part.high === null)) parts.delete(column);
    else parts.set(column, part);
  }
  return { parts, rest: selection.rest };
}

/** Both expressions at once. */
export function both(one: string, other: string): string {
  if (one.trim() === "") return other.trim();
  if (other.trim() === "") return one.trim();
  return `${grouped(one)} and ${grouped(other)}`;
}

function grouped(text: string): string {
  const terms = conjuncts(text);
  const single = terms !== null && terms.every((term) => !/\b(or|if|not)\b/.test(bare(term)));
  return single ? text.trim() : `(${text.trim()})`;
}

// The text with everything between quotes or backticks blanked, of the same length.
function bare(text: string): string {
  return text.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`/g, (span) => "_".repeat(span.length));
}

/** The terms that `and` joins at the outermost level; null where the text is no such conjunction. */
export function conjuncts(text: string): string[] | null {
  if (text.trim() === "") return [];
  const plain = bare(text);
  const terms: string[] = [];
  let depth = 0;
  let from = 0;
  for (const found of plain.matchAll(/[([{]|[)\]}]|\b(?:and|or|if|lambda)\b/g)) {
    const word = found[0];
    if ("([{".includes(word)) depth += 1;
    else if (")]}".includes(word)) depth -= 1;
    else if (depth === 0 && word !== "and") return null;
    else if (depth === 0) {
      terms.push(text.slice(from, found.index).trim());
      from = found.index + word.length;
    }
  }
  terms.push(text.slice(from).trim());
  return depth !== 0 || terms.includes("") ? null : terms;
}

const CONDITION = /^(`[^`]+`|[A-Za-z_][\w.]*)\s*(>=|<=|==|in)\s*(.+)$/s;

function oneCondition(term: string): { column: string; part: Part } | null {
  const found = CONDITION.exec(term);
  const [, name, sign, value] = found ?? [];
  if (name === undefined || sign === undefined || value === undefined) return null;
  const column = name.startsWith("`") ? name.slice(1, -1) : name;
  if (sign === "in") {
    const among = values(value);
    return among && { column, part: { among } };
  }
  const single = values(`[${value}]`);
  if (single?.length !== 1) return null;
  const [only] = single;
  if (sign === "==") return { column, part: { among: [only ?? null] } };
  if (typeof only !== "number") return null;
  return { column, part: sign === ">=" ? { low: only, high: null } : { low: null, high: only } };
}

const VALUE =
  /^\s*(?:('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(true|false|null|True|False|None))\s*(,|$)/;

function values(text: string): Choice[] | null {
  if (!/^\[.*\]$/s.test(text)) return null;
  let left = text.slice(1, -1);
  const found: Choice[] = [];
  while (left.trim() !== "") {
    const [all, quoted, digits, constant] = VALUE.exec(left) ?? [];
    if (all === undefined) return null;
    if (quoted !== undefined) found.push(unquoted(quoted));
    else if (digits !== undefined) found.push(Number(digits));
    else found.push(constant === undefined || /null|None/.test(constant) ? null : /true/i.test(constant));
    left = left.slice(all.length);
  }
  return found;
}

function unquoted(text: string): string {
  const escapes: Record<string, string> = { n: "\n", r: "\r", t: "\t" };
  return text.slice(1, -1).replace(/\\(.)/gs, (_, mark: string) => escapes[mark] ?? mark);
}
