/** A part of a log as the server gave it: `text` stands at the bytes from `offset` to `next`. */
export type Window = { offset: number; next: number; text: string };

/** The stretch of a log that is in memory: parts that follow each other. */
export type Stretch = { readonly parts: readonly Window[]; readonly characters: number };

/** One line on the screen. `begins`: it is the beginning of a line of the log, not the rest of a long one. */
export type Line = { readonly text: string; readonly begins: boolean };

export const NOTHING: Stretch = { parts: [], characters: 0 };
const MOST_CHARACTERS = 3_000_000;
const LONGEST_LINE = 2_000;

/** Where the stretch begins and ends, in bytes. */
export function bounds(stretch: Stretch): { begin: number; end: number } {
  return { begin: stretch.parts[0]?.offset ?? 0, end: stretch.parts.at(-1)?.next ?? 0 };
}

/** The stretch with what follows it; what is far behind goes. A part that does not follow begins a new stretch. */
export function appended(stretch: Stretch, part: Window, most = MOST_CHARACTERS): Stretch {
  if (stretch.parts.length > 0 && part.offset !== bounds(stretch).end) return only(part);
  if (part.text === "" && stretch.parts.length > 0) return stretch;
  const parts = [...stretch.parts, part];
  let characters = stretch.characters + part.text.length;
  while (characters > most && parts.length > 1) characters -= parts.shift()?.text.length ?? 0;
  return { parts, characters };
}

/** The stretch with what stands before it; what is far ahead goes. */
export function prepended(stretch: Stretch, part: Window, most = MOST_CHARACTERS): Stretch {
  if (stretch.parts.length > 0 && part.next !== bounds(stretch).begin) return only(part);
  const parts = [part, ...stretch.parts];
  let characters = stretch.characters + part.text.length;
  while (characters > most && parts.length > 1) characters -= parts.pop()?.text.length ?? 0;
  return { parts, characters };
}

function only(part: Window): Stretch {
  return { parts: [part], characters: part.text.length };
}

/** The lines of some text; a very long one is broken, because nobody can scroll through ten megabytes of it. */
export function linesOf(text: string, longest = LONGEST_LINE): Line[] {
  const lines: Line[] = [];
  for (const whole of text.split("\n")) {
    for (let at = 0; at === 0 || at < whole.length; at += longest) {
      lines.push({ text: whole.slice(at, at + longest), begins: at === 0 });
    }
  }
  if (text.endsWith("\n") || text === "") lines.pop();
  return lines;
}

/** All lines of a stretch. */
export function lines(stretch: Stretch): Line[] {
  return linesOf(stretch.parts.map((part) => part.text).join(""));
}

/** Which line of the stretch the byte `offset` stands in, where a part begins with that byte; else -1. */
export function lineAt(stretch: Stretch, offset: number): number {
  const at = stretch.parts.findIndex((part) => part.offset === offset);
  if (at < 0) return -1;
  const before = stretch.parts
    .slice(0, at)
    .map((part) => part.text)
    .join("");
  if (before === "") return 0;
  const count = linesOf(before).length;
  return before.endsWith("\n") ? count : count - 1;
}

/** The places of `wanted` in a text, letters of either case being the same. */
export function places(text: string, wanted: string): [number, number][] {
  if (wanted === "") return [];
  const found: [number, number][] = [];
  // ASCII alone changes case here, as on the server; so no character changes its length.
  const lower = (word: string) => word.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const [within, needle] = [lower(text), lower(wanted)];
  for (
    let at = within.indexOf(needle);
    at >= 0 && found.length < 200;
    at = within.indexOf(needle, at + needle.length)
  )
    found.push([at, at + needle.length]);
  return found;
}
