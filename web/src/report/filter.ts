/** A trial as the report holds it. */
export type Row = {
  number: number;
  state: string;
  value: unknown;
  params: Record<string, unknown>;
  values: Record<string, unknown>;
  [name: string]: unknown;
};

type Value = number | string | boolean | null | readonly unknown[] | undefined;
/** true, false, or null: something is missing, so that neither it nor its opposite holds. */
type Truth = boolean | null;
type Term = (row: Row) => Value;
type Test = (row: Row) => Truth;
type Node = { kind: "test"; test: Test } | { kind: "term"; term: Term };

/** What cannot be read of a filter expression. */
export class Unreadable extends Error {}

const TOKEN =
  /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|((?:[\p{L}_][\p{L}\p{N}_]*|`[^`]*`)(?:\.(?:[\p{L}_][\p{L}\p{N}_]*|`[^`]*`))*)|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(<=|>=|==|!=|<|>|\(|\)|\[|\]|,|\+|-|\*\*|\*|\/\/|\/|%))/uy;
const BUILT_IN = [
  "state",
  "value",
  "steps",
  "duration",
  "started",
  "ended",
  "attempt",
  "tags",
  "reason",
  "error",
];

/**
 * The filter of the live page for rows that are at hand: which rows `text` holds for. The same language (comparisons,
 * chained ones too, `in`, `and or not`, arithmetic, names in backticks); a comparison with something that a trial does
 * not have does not hold, nor does its negation. Throws `Unreadable`.
 */
export function filter(
  text: string,
  known: { params: readonly string[]; metrics: readonly string[] },
): (row: Row) => boolean {
  if (text.trim() === "") return () => true;
  const parser = new Parser(text, known);
  const test = truth(parser.whole());
  return (row) => test(row) === true;
}

class Parser {
  readonly #tokens: string[] = [];
  readonly #known: { params: readonly string[]; metrics: readonly string[] };
  #at = 0;

  constructor(text: string, known: { params: readonly string[]; metrics: readonly string[] }) {
    this.#known = known;
    TOKEN.lastIndex = 0;
    let end = 0;
    while (text.slice(end).trim() !== "") {
      TOKEN.lastIndex = end;
      const found = TOKEN.exec(text);
      if (found === null) throw new Unreadable(`cannot be read at “${text.slice(end).trim().slice(0, 20)}”`);
      this.#tokens.push(found[0].trim());
      end = TOKEN.lastIndex;
    }
  }

  whole(): Node {
    const node = this.#or(0);
    if (this.#at < this.#tokens.length)
      throw new Unreadable(`“${this.#tokens[this.#at]}” is not expected here`);
    return node;
  }

  #takes(...words: string[]): string | null {
    const token = this.#tokens[this.#at];
    if (token === undefined || !words.includes(token)) return null;
    this.#at += 1;
    return token;
  }

  #or(depth: number): Node {
    if (depth > 50) throw new Unreadable("is nested too deeply");
    let left = this.#and(depth);
    while (this.#takes("or") !== null) {
      const [one, other] = [truth(left), truth(this.#and(depth))];
      left = { kind: "test", test: (row) => either(one(row), other(row)) };
    }
    return left;
  }

  #and(depth: number): Node {
    let left = this.#not(depth);
    while (this.#takes("and") !== null) {
      const [one, other] = [truth(left), truth(this.#not(depth))];
      left = { kind: "test", test: (row) => opposite(either(opposite(one(row)), opposite(other(row)))) };
    }
    return left;
  }

  #not(depth: number): Node {
    if (this.#takes("not") === null) return this.#comparison(depth);
    const inner = truth(this.#not(depth + 1));
    return { kind: "test", test: (row) => opposite(inner(row)) };
  }

  #comparison(depth: number): Node {
    const first = this.#sum(depth);
    const tests: Test[] = [];
    let left = first;
    for (;;) {
      const sign = this.#sign();
      if (sign === null) break;
      const [one, other] = [value(left), value((left = this.#sum(depth)))];
      tests.push((row) => compared(sign, one(row), other(row)));
    }
    if (tests.length === 0) return first;
    return {
      kind: "test",
      test: (row) =>
        tests.reduce<Truth>((all, test) => opposite(either(opposite(all), opposite(test(row)))), true),
    };
  }

  #sign(): string | null {
    if (this.#tokens[this.#at] === "not" && this.#tokens[this.#at + 1] === "in") {
      this.#at += 2;
      return "not in";
    }
    return this.#takes("<", "<=", ">", ">=", "==", "!=", "in");
  }

  #sum(depth: number): Node {
    let left = this.#product(depth);
    for (let sign = this.#takes("+", "-"); sign !== null; sign = this.#takes("+", "-")) {
      left = calculated(sign, left, this.#product(depth));
    }
    return left;
  }

  #product(depth: number): Node {
    let left = this.#signed(depth);
    for (
      let sign = this.#takes("*", "/", "//", "%");
      sign !== null;
      sign = this.#takes("*", "/", "//", "%")
    ) {
      left = calculated(sign, left, this.#signed(depth));
    }
    return left;
  }

  #signed(depth: number): Node {
    if (this.#takes("-") !== null)
      return calculated("-", { kind: "term", term: () => 0 }, this.#signed(depth));
    if (this.#takes("+") !== null) return this.#signed(depth);
    const base = this.#single(depth);
    return this.#takes("**") === null ? base : calculated("**", base, this.#signed(depth));
  }

  #single(depth: number): Node {
    if (this.#takes("(") !== null) {
      const inner = this.#or(depth + 1);
      if (this.#takes(")") === null) throw new Unreadable("a bracket is not closed");
      return inner;
    }
    if (this.#takes("[") !== null) return this.#list(depth);
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new Unreadable("ends too early");
    this.#at += 1;
    if (/^[\d.]/.test(token)) return constant(Number(token));
    if (/^['"]/.test(token)) return constant(unquoted(token));
    if (token.toLowerCase() === "true") return constant(true);
    if (token.toLowerCase() === "false") return constant(false);
    if (token === "null" || token === "None") return constant(null);
    return { kind: "term", term: this.#named(token) };
  }

  #list(depth: number): Node {
    const items: Term[] = [];
    while (this.#takes("]") === null) {
      items.push(value(this.#sum(depth + 1)));
      if (this.#takes(",") === null && this.#tokens[this.#at] !== "]")
        throw new Unreadable("a list is not closed");
    }
    return { kind: "term", term: (row) => items.map((item) => item(row)) };
  }

  #named(token: string): Term {
    const { params, metrics } = this.#known;
    const name = token.replaceAll("`", "");
    const [group, rest] = name.startsWith("params.")
      ? ["params", name.slice(7)]
      : name.startsWith("metrics.")
        ? ["metrics", name.slice(8)]
        : ["", name];
    if ((group === "" || group === "params") && params.includes(rest)) return (row) => wire(row.params[rest]);
    if ((group === "" || group === "metrics") && metrics.includes(rest))
      return (row) => numeric(row.values[rest]);
    if (group === "" && name === "number") return (row) => row.number;
    if (group === "" && BUILT_IN.includes(name)) return builtIn(name);
    throw new Unreadable(`no column ${name}`);
  }
}

function builtIn(name: string): Term {
  if (name === "started" || name === "ended") {
    return (row) => (typeof row[name] === "string" ? Date.parse(row[name]) / 1000 : undefined);
  }
  return (row) => (name === "value" ? numeric(row.value) : (wire(row[name]) ?? undefined));
}

/** A number from the wire; what is no number is missing. */
function numeric(found: unknown): number | undefined {
  const number = typeof found === "number" ? found : typeof found === "string" ? Number(found) : Number.NaN;
  return Number.isNaN(number) ? undefined : number;
}

function wire(found: unknown): Value {
  return found as Value;
}

function constant(found: Value): Node {
  return { kind: "term", term: () => found };
}

function unquoted(token: string): string {
  return token
    .slice(1, -1)
    .replace(
      /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/gsu,
      (_, x?: string, u?: string, one?: string) => {
        if (x !== undefined || u !== undefined)
          return String.fromCharCode(Number.parseInt(x ?? u ?? "0", 16));
        return { n: "\n", t: "\t", r: "\r", "0": "\0" }[one ?? ""] ?? one ?? "";
      },
    );
}

function truth(node: Node): Test {
  if (node.kind === "test") return node.test;
  const { term } = node;
  return (row) => {
    const found = term(row);
    return found === undefined ? null : found === true;
  };
}

function value(node: Node): Term {
  if (node.kind === "term") return node.term;
  const { test } = node;
  return (row) => test(row) ?? undefined;
}

function opposite(found: Truth): Truth {
  return found === null ? null : !found;
}

function either(one: Truth, other: Truth): Truth {
  if (one === true || other === true) return true;
  return one === null || other === null ? null : false;
}

function calculated(sign: string, left: Node, right: Node): Node {
  const [one, other] = [value(left), value(right)];
  const does: Record<string, (a: number, b: number) => number> = {
    "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b,
    "//": (a, b) => Math.floor(a / b), "%": (a, b) => a - b * Math.floor(a / b), "**": (a, b) => a ** b,
  }; // prettier-ignore
  return {
    kind: "term",
    term: (row) => {
      const [a, b] = [one(row), other(row)];
      if (typeof a !== "number" || typeof b !== "number") return undefined;
      const found = does[sign]?.(a, b) ?? Number.NaN;
      return Number.isNaN(found) ? undefined : found;
    },
  };
}

function compared(sign: string, left: Value, right: Value): Truth {
  if (left === undefined || right === undefined) return null;
  if (sign === "in" || sign === "not in") {
    if (!Array.isArray(right)) return null;
    const inside = right.some((item) => equal(left, item as Value));
    return sign === "in" ? inside : !inside;
  }
  if (sign === "==") return equal(left, right);
  if (sign === "!=") return !equal(left, right);
  const both =
    (typeof left === "number" && typeof right === "number") ||
    (typeof left === "string" && typeof right === "string");
  if (!both) return null;
  const [a, b] = [left as number, right as number];
  if (sign === "<") return a < b;
  if (sign === "<=") return a <= b;
  return sign === ">" ? a > b : a >= b;
}

function equal(left: Value, right: Value): boolean {
  return left === right || (Array.isArray(left) && JSON.stringify(left) === JSON.stringify(right));
}
