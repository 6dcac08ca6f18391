import { createContext, useContext } from "react";

/** The trial under the pointer, shared by all plots and the table without drawing anything anew. */
export type Hovered = {
  set: (trial: number | null) => void;
  listen: (heard: (trial: number | null) => void) => () => void;
};

/** A page's shared hover. */
export function makeHovered(): Hovered {
  const heard = new Set<(trial: number | null) => void>();
  let present: number | null = null;
  return {
    set: (trial) => {
      if (trial === present) return;
      present = trial;
      for (const listener of heard) listener(trial);
    },
    listen: (listener) => {
      heard.add(listener);
      return () => heard.delete(listener);
    },
  };
}

const Shared = createContext<Hovered>(makeHovered());

/** Gives a page its own shared hover. */
export const HoveredProvider = Shared.Provider;

/** The page's shared hover. */
export function useHovered(): Hovered {
  return useContext(Shared);
}
