import { useUrlState } from "../shared/urlstate.ts";
import { Pick } from "./controls.tsx";
import { useWatching } from "./watching.tsx";

/** Which objective a plot is about, where there are several; the first is not written in the address. */
export function ObjectivePick({ name }: { name: string }) {
  const { objectives } = useWatching();
  const [objective, set] = useUrlState(name);
  const [first = ""] = objectives;
  if (objectives.length < 2) return null;
  return (
    <Pick
      label="Objective"
      value={objective || first}
      choices={objectives}
      onChange={(chosen) => set(chosen === first ? "" : chosen)}
    />
  );
}
