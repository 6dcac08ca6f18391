import { useUrlState } from "../../shared/urlstate.ts";
import { TrialTable } from "./trialtable.tsx";

/** All trials that the filter shows and the selection singles out. */
export default function TableTab({ study, where, sel }: { study: string; where: string; sel: string }) {
  const [, setSel] = useUrlState("sel");
  return (
    <div data-testid="trial-table">
      <TrialTable study={study} where={where} sel={sel} onSelect={setSel} />
    </div>
  );
}
