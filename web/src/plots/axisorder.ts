/** The list with the item at `from` taken to `to`; places beyond the ends are the ends. */
export function moved<T>(items: readonly T[], from: number, to: number): T[] {
  const rest = items.filter((_, at) => at !== from);
  const item = items[from];
  if (item === undefined) return [...items];
  const place = Math.min(Math.max(to, 0), items.length - 1);
  return [...rest.slice(0, place), item, ...rest.slice(place)];
}

/** What is there, in the wanted order; what the order does not name is left out where it names any. */
export function arranged<T>(items: readonly T[], wanted: readonly string[], name: (item: T) => string): T[] {
  if (wanted.length === 0) return [...items];
  const known = new Map(items.map((item) => [name(item), item]));
  return wanted.flatMap((one) => {
    const item = known.get(one);
    return item === undefined ? [] : [item];
  });
}

/** The list with the item in it or, where it is in it already, without. */
export function toggled<T>(items: readonly T[], item: T): T[] {
  return items.includes(item) ? items.filter((one) => one !== item) : [...items, item];
}
