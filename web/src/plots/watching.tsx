import { useQuery, keepPreviousData } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { address, answered } from "../api/client.ts";
import type { Options } from "../shared/copytexts.ts";
import type { Choice, Part, Selection } from "./brushing.ts";

/** What all plots of a study's page share. */
export type Watching = {
  study: string;
  /** Which trials all plots show. */
  where: string;
  /** The metrics of its objectives. */
  objectives: readonly string[];
  /** All metrics that were declared or reported, the objectives first. */
  metrics: readonly string[];
  /** The parameters that are searched, in the order of declaration. */
  parameters: readonly string[];
  /** For a parameter of choices, the value that a label stands for. */
  valueOf: (parameter: string) => (label: string) => Choice;
  /** Which of them are singled out: the expression, and its parts. */
  sel: string;
  selection: Selection;
  /** Whether a trial is singled out; null where none is. */
  chosen: ((trial: number) => boolean) | null;
  /** Changes a part of the selection; null takes a column's part away. */
  select: (changes: Record<string, Part | null>) => void;
  /** Opens a trial's own page. */
  open: (trial: number) => void;
  /** Goes to a parameter's slice. */
  look: (parameter: string) => void;
};

const Shared = createContext<Watching | null>(null);

/** Gives the plots below it their study. */
export const WatchingProvider = Shared.Provider;

/** What the page shares with its plots. */
export function useWatching(): Watching {
  const found = useContext(Shared);
  if (found === null) throw new Error("a plot needs a WatchingProvider around it");
  return found;
}

/** A view's record, kept while the next one loads. */
export function useView<R>(view: string, options: Options, enabled = true) {
  const { study, where } = useWatching();
  const query = { ...options, where };
  return useQuery({
    queryKey: ["study", study, "views", view, query],
    queryFn: async ({ signal }) => {
      const at = address("/api/studies/{study}/views/{view}", { study, view }, query);
      return (await (await answered(at, { signal })).json()) as R;
    },
    placeholderData: keepPreviousData,
    enabled,
  });
}
