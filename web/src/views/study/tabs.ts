/** The parts of a study's page, in their order, with the letter that leads to each after `g`. */
export const TABS = [
  { value: "overview", label: "Overview", key: "o" },
  { value: "curves", label: "Curves", key: "c" },
  { value: "space", label: "Space", key: "x" },
  { value: "objectives", label: "Objectives", key: "p" },
  { value: "schedule", label: "Schedule", key: "r" },
  { value: "table", label: "Table", key: "t" },
  { value: "about", label: "About", key: "a" },
] as const;

/** The word of a part in the address. */
export type Tab = (typeof TABS)[number]["value"];

/** The words of all parts. */
export const TAB_WORDS: readonly Tab[] = TABS.map((tab) => tab.value);

/** What a key pressed on the page asks for. */
export type Wish = { kind: "tab"; tab: Tab } | { kind: "filter" | "help" | "clear" };

/** What `key` asks for after `before`, the key pressed just before it; null for nothing. */
export function wish(before: string, key: string): Wish | null {
  if (before === "g") {
    const tab = TABS.find((one) => one.key === key);
    return tab === undefined ? null : { kind: "tab", tab: tab.value };
  }
  if (key === "/") return { kind: "filter" };
  if (key === "?") return { kind: "help" };
  return key === "Escape" ? { kind: "clear" } : null;
}
