/** How characters of a log look. Colours are "0" to "15" (the terminal's own) or "#rrggbb". */
export type Look = {
  readonly fg: string | null;
  readonly bg: string | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly strike: boolean;
  readonly inverse: boolean;
};

/** Characters that look alike. */
export type Piece = { readonly text: string; readonly look: Look };

/** How a log begins. */
export const PLAIN: Look = {
  fg: null,
  bg: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
};

const ESC = "\u001b";
const MOST_PARAMETERS = 32;
const LONGEST_STRING = 4096;

// Marks that would turn the text around them (Unicode TR 36) or hide in it stand as a box instead.
const HIDDEN = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\ufeff]/g;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** The line as plain text: no escape sequence, no control character. */
export function stripped(line: string): string {
  return parsed(line, PLAIN)
    .pieces.map((piece) => piece.text)
    .join("");
}

/** Several lines as plain text, each as `stripped` leaves it. */
export function plainText(text: string): string {
  return text.split("\n").map(stripped).join("\n");
}

/**
 * One line of a log: its pieces, and the look with which the next line begins. Of escape sequences only colours and
 * the like (SGR) have a meaning, all others are left out; what a carriage return overwrote is gone.
 */
export function parsed(line: string, begin: Look): { pieces: Piece[]; end: Look } {
  const kept = overwritten(line);
  let look = begin;
  if (!kept.includes(ESC) && !kept.includes("\u009b")) {
    return { pieces: kept === "" ? [] : [{ text: shown(kept), look }], end: look };
  }
  const pieces: Piece[] = [];
  let from = 0;
  let at = 0;
  const flush = (to: number) => {
    const text = shown(kept.slice(from, to));
    const last = pieces.at(-1);
    if (text === "") return;
    if (last !== undefined && last.look === look)
      pieces[pieces.length - 1] = { text: last.text + text, look };
    else pieces.push({ text, look });
  };
  while (at < kept.length) {
    const mark = kept.charAt(at);
    if (mark !== ESC && mark !== "\u009b") {
      at += 1;
      continue;
    }
    flush(at);
    const found = sequence(kept, at);
    if (found.codes !== null) look = changed(look, found.codes);
    at = found.next;
    from = at;
  }
  flush(at);
  return { pieces, end: look };
}

/** What a terminal would show of a line in which the cursor went back to its beginning. */
function overwritten(line: string): string {
  const whole = line.endsWith("\r") ? line.replace(/\r+$/, "") : line;
  const at = whole.lastIndexOf("\r");
  if (at < 0) return whole;
  // Colours that were set before still hold.
  const before = whole.slice(0, at).match(/\u001b\[[0-9;:]*m/g) ?? [];
  return before.join("") + whole.slice(at + 1);
}

function shown(text: string): string {
  return text.replace(CONTROLS, "").replace(HIDDEN, "\ufffd");
}

/** The escape sequence that begins at `at`: where it ends, and its codes where it changes the look. */
function sequence(text: string, at: number): { next: number; codes: string[] | null } {
  const single = text.charAt(at) === "\u009b";
  const kind = single ? "[" : text.charAt(at + 1);
  const begin = at + (single ? 1 : 2);
  if (kind === "[") {
    let end = begin;
    while (end < text.length && /[\u0020-\u003f]/.test(text.charAt(end))) end += 1;
    const final = text.charAt(end);
    // What is no final byte ends a broken sequence, and is shown.
    const next = /[\u0040-\u007e]/.test(final) ? end + 1 : end;
    const words = text.slice(begin, end);
    return { next, codes: final === "m" && /^[0-9;:]*$/.test(words) ? words.split(";") : null };
  }
  if ("]PX^_".includes(kind) && kind !== "") {
    // A string (a title, a link): it ends with BEL or ESC \. One that never ends must not swallow the log.
    for (let end = begin; end < Math.min(text.length, begin + LONGEST_STRING); end += 1) {
      const mark = text.charAt(end);
      if (mark === "\u0007" || mark === "\u009c") return { next: end + 1, codes: null };
      if (mark === ESC && text.charAt(end + 1) === "\\") return { next: end + 2, codes: null };
    }
    return { next: begin, codes: null };
  }
  if ("()*+-./#% ".includes(kind) && kind !== "") return { next: begin + 1, codes: null };
  return { next: Math.min(begin, text.length), codes: null };
}

/** The look after these codes of SGR (ECMA-48 8.3.117). */
export function changed(before: Look, codes: readonly string[]): Look {
  let look = before;
  const list = codes.slice(0, MOST_PARAMETERS);
  for (let at = 0; at < list.length; at += 1) {
    const word = list[at] ?? "";
    const code = Number.parseInt(word || "0", 10);
    if (code === 38 || code === 48) {
      const colons = word.includes(":");
      const parts = colons ? word.split(":").map((part) => Number(part || "0")) : list.slice(at).map(Number);
      const { colour, used } = extended(parts, colons);
      if (!colons) at += used;
      if (colour !== null) look = code === 38 ? { ...look, fg: colour } : { ...look, bg: colour };
    } else look = single(look, code);
  }
  return same(look, before) ? before : look;
}

function single(look: Look, code: number): Look {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...look, bold: true };
  if (code === 2) return { ...look, dim: true };
  if (code === 3) return { ...look, italic: true };
  if (code === 4 || code === 21) return { ...look, underline: true };
  if (code === 7) return { ...look, inverse: true };
  if (code === 9) return { ...look, strike: true };
  if (code === 22) return { ...look, bold: false, dim: false };
  if (code === 23) return { ...look, italic: false };
  if (code === 24) return { ...look, underline: false };
  if (code === 27) return { ...look, inverse: false };
  if (code === 29) return { ...look, strike: false };
  if (code >= 30 && code <= 37) return { ...look, fg: String(code - 30) };
  if (code === 39) return { ...look, fg: null };
  if (code >= 40 && code <= 47) return { ...look, bg: String(code - 40) };
  if (code === 49) return { ...look, bg: null };
  if (code >= 90 && code <= 97) return { ...look, fg: String(code - 90 + 8) };
  if (code >= 100 && code <= 107) return { ...look, bg: String(code - 100 + 8) };
  return look;
}

/** The colour that the codes after 38 or 48 name, and how many of them it takes. */
function extended(parts: readonly number[], colons: boolean): { colour: string | null; used: number } {
  const [, kind, number = Number.NaN] = parts;
  if (kind === 5) return { colour: indexed(number), used: 2 };
  if (kind !== 2) return { colour: null, used: 0 };
  // Between colons a colour space may stand before the three parts.
  return { colour: rgb(colons && parts.length > 5 ? parts.slice(3, 6) : parts.slice(2, 5)), used: 4 };
}

/** The colour of that number in the palette of 256. */
function indexed(number: number): string | null {
  if (!Number.isInteger(number) || number < 0 || number > 255) return null;
  if (number < 16) return String(number);
  if (number >= 232) return rgb([8 + 10 * (number - 232), 8 + 10 * (number - 232), 8 + 10 * (number - 232)]);
  const cube = [0, 95, 135, 175, 215, 255];
  const at = number - 16;
  return rgb([Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map((part) => cube[part] ?? 0));
}

function rgb(parts: readonly number[]): string | null {
  if (parts.length !== 3 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    return null;
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function same(one: Look, other: Look): boolean {
  return (Object.keys(one) as (keyof Look)[]).every((key) => one[key] === other[key]);
}
