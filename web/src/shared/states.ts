/** The states of a trial, in the order in which a bar shows them. */
export const TRIAL_STATES = ["complete", "pruned", "failed", "running", "paused", "waiting"] as const;

/** A state of a trial. */
export type TrialState = (typeof TRIAL_STATES)[number];

/** The states of a study, in the order in which a filter offers them. */
export const STUDY_STATES = ["running", "paused", "interrupted", "complete", "failed"] as const;

/** A state of a study. */
export type StudyState = (typeof STUDY_STATES)[number];

/** What a state means, for whoever has forgotten. */
export const MEANING: Readonly<Record<TrialState | StudyState, string>> = {
  complete: "ran to its end",
  pruned: "ended early, by the schedule or by somebody",
  failed: "has no value: its program failed, or too many did",
  running: "a runner works on it",
  paused: "held until somebody, or the schedule, lets it go on",
  waiting: "waits for a free worker",
  interrupted: "not finished, and no runner is attached: resume it",
};

/** The colour of a state, in the page's present colour scheme: the same as in every plot. */
export function stateColour(state: string): string {
  return `var(--state-${state in MEANING ? state : "waiting"})`;
}

/** Counts by state as one phrase: "24 complete, 2 failed". */
export function countsInWords(counts: Readonly<Record<string, number>>): string {
  const words = TRIAL_STATES.filter((state) => (counts[state] ?? 0) > 0).map(
    (state) => `${(counts[state] ?? 0).toLocaleString("en")} ${state}`,
  );
  return words.join(", ") || "no trials yet";
}
