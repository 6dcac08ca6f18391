import type { StudyDetail } from "../../shared/details.ts";
import { fromWire } from "../../shared/format.ts";

/** One line of a comparison: a path of the study file, and what each study has there. */
export type Difference = { path: string; values: readonly unknown[] };

const SKIPPED = new Set(["name"]);

/** All leaves of a tree by their dotted paths; a list is a leaf. */
export function leaves(tree: unknown, path = ""): Map<string, unknown> {
  const found = new Map<string, unknown>();
  if (tree !== null && typeof tree === "object" && !Array.isArray(tree)) {
    for (const [key, value] of Object.entries(tree)) {
      const at = path === "" ? key : `${path}.${key}`;
      for (const [name, leaf] of leaves(value, at)) found.set(name, leaf);
    }
  } else if (path !== "") found.set(path, tree);
  return found;
}

/** Where the trees are not the same, in the order in which the paths first occur. */
export function differences(trees: readonly unknown[]): Difference[] {
  const all = trees.map((tree) => leaves(tree));
  const paths = new Set(all.flatMap((one) => [...one.keys()]));
  return [...paths]
    .filter((path) => !SKIPPED.has(path))
    .map((path) => ({ path, values: all.map((one) => one.get(path)) }))
    .filter(({ values }) => new Set(values.map((value) => JSON.stringify(value))).size > 1);
}

/** Whether the studies minimise or maximise the same metric, so that their values can be held against each other. */
export function sameGoal(studies: readonly StudyDetail[]): boolean {
  const goals = studies.map(({ objectives }) => JSON.stringify([objectives[0]?.metric, objectives[0]?.goal]));
  return new Set(goals).size <= 1;
}

/** The best that a study came to in a metric that it has as an objective; null where it has not. */
export function bestOf(study: Pick<StudyDetail, "objectives" | "winners">, metric: string): number | null {
  const goal = study.objectives.find((one) => one.metric === metric)?.goal;
  if (goal === undefined) return null;
  const loss = (value: number) =>
    typeof goal === "number" ? Math.abs(value - goal) : goal === "maximize" ? -value : value;
  return study.winners
    .map(({ values }) => fromWire(values[metric]))
    .filter((value) => value !== null && !Number.isNaN(value))
    .reduce<number | null>(
      (best, value) => (value !== null && (best === null || loss(value) < loss(best)) ? value : best),
      null,
    );
}
