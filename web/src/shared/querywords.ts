/** The search part of an address with `key` set to `value`, or without it where the value is the default. */
export function withWord(search: string, key: string, value: string, initial: string): string {
  const words = new URLSearchParams(search);
  if (value === initial) words.delete(key);
  else words.set(key, value);
  const text = words.toString();
  return text ? `?${text}` : "";
}

/** What the search part of an address says for `key`. */
export function word(search: string, key: string, initial: string): string {
  return new URLSearchParams(search).get(key) ?? initial;
}

/** A list as one word: items are parted by commas, and a comma or backslash in an item stands behind a backslash. */
export function joined(items: readonly string[]): string {
  return items.map((item) => item.replace(/[\\,]/g, (mark) => `\\${mark}`)).join(",");
}

/** The list that `joined` wrote. */
export function parted(text: string): string[] {
  if (text === "") return [];
  const items: string[] = [];
  let item = "";
  for (let at = 0; at < text.length; at += 1) {
    const mark = text.charAt(at);
    if (mark === "\\" && at + 1 < text.length) {
      at += 1;
      item += text.charAt(at);
    } else if (mark === ",") {
      items.push(item);
      item = "";
    } else item += mark;
  }
  return [...items, item];
}
