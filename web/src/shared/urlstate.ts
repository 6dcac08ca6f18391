import { useCallback } from "react";
import { navigate, useLocationProperty } from "wouter/use-browser-location";
import { joined, parted, withWord, word } from "./querywords.ts";

/** Whether a change of view is a step that the browser's back button undoes, or replaces the present one. */
export type Step = { push?: boolean };

/** A word of the address's query as it is at this moment. */
export function presentWord(key: string, initial = ""): string {
  return word(window.location.search, key, initial);
}

/** One word of the address's query as state: reload, back and a shared link bring it back. */
export function useUrlState(key: string, initial = ""): [string, (value: string, step?: Step) => void] {
  // Only this word: whoever shows another one is not drawn anew when it changes.
  const value = useLocationProperty(() => presentWord(key, initial));
  const set = useCallback(
    // The address of this moment, not of the last drawing: two changes in one event must both stay.
    (next: string, step: Step = {}) => {
      const { pathname, search, hash } = window.location;
      const changed = withWord(search, key, next, initial);
      if (changed !== search) navigate(pathname + changed + hash, { replace: !step.push });
    },
    [key, initial],
  );
  return [value, set];
}

/** A choice among known words; anything else in the address counts as the default. */
export function useUrlChoice<T extends string>(
  key: string,
  choices: readonly T[],
  initial: T,
): [T, (value: T, step?: Step) => void] {
  const [text, set] = useUrlState(key, initial);
  return [choices.find((choice) => choice === text) ?? initial, set];
}

/** A switch: "1" in the address is on, "0" is off. */
export function useUrlFlag(key: string, initial = false): [boolean, (value: boolean) => void] {
  const [text, set] = useUrlState(key, initial ? "1" : "0");
  return [text === "1", useCallback((value: boolean) => set(value ? "1" : "0"), [set])];
}

/** A list of names. */
export function useUrlList(key: string): [string[], (value: readonly string[]) => void] {
  const [text, set] = useUrlState(key);
  return [parted(text), useCallback((value: readonly string[]) => set(joined(value)), [set])];
}

/** Several words of the address at once, and no others; "" takes a word away. */
export function changeWords(changes: Readonly<Record<string, string>>, step: Step = {}): void {
  const { pathname, search, hash } = window.location;
  const changed = Object.entries(changes).reduce(
    (text, [key, value]) => withWord(text, key, value, ""),
    search,
  );
  if (changed !== search) navigate(pathname + changed + hash, { replace: !step.push });
}
