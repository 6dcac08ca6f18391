import type { components } from "../api/schema.ts";

type Rungs = components["schemas"]["Rungs"];
type RungCount = components["schemas"]["RungCount"];

/** One piece of a rung's bar: how many, of what. */
export type Piece = {
  kind: "went_on" | "ended" | "waiting" | "stopped";
  count: number;
  words: string;
  colour: string;
};

/** What became of the trials that came to a rung; pieces without any are left out. */
export function pieces(rung: RungCount, colours: Readonly<Record<string, string>>): Piece[] {
  const all: Piece[] = [
    { kind: "went_on", count: rung.went_on, words: "went on", colour: colours.running ?? "" },
    { kind: "ended", count: rung.ended, words: "ended there by themselves", colour: colours.complete ?? "" },
    { kind: "waiting", count: rung.waiting, words: "wait there", colour: colours.paused ?? "" },
    { kind: "stopped", count: rung.stopped, words: "were stopped", colour: colours.pruned ?? "" },
  ];
  return all.filter((piece) => piece.count > 0);
}

/** Which decisions are meant: those of a bracket and a resource; null for all. */
export type Place = { bracket: number; resource: number } | null;

/** The place as a word in the address. */
export function placeText(place: Place): string {
  return place === null ? "" : `${place.bracket}@${place.resource}`;
}

/** The place that `placeText` wrote; null for anything else. */
export function placeOf(text: string): Place {
  const found = /^(\d+)@([\d.e+-]+)$/.exec(text);
  const resource = Number(found?.[2]);
  return found === null || !Number.isFinite(resource) ? null : { bracket: Number(found[1]), resource };
}

/** Which of the record's decisions were made at a place, the newest first. */
export function decisionsAt(record: Rungs, place: Place): number[] {
  const all = record.number.map((_, at) => at);
  const there = all.filter((at) => {
    if (place === null) return true;
    return (record.bracket[at] ?? 0) === place.bracket && record.resource_at[at] === place.resource;
  });
  return there.reverse();
}

/** A decision in the past tense, as a person says it. */
export function said(act: string, to: number | null, resource: string): string {
  if (act === "continued") return to === null ? "went on to the end" : `went on to ${resource} ${to}`;
  if (act === "paused") return "held";
  return act;
}
