import { CurvesPlot } from "../../plots/curves.tsx";

/** What trials reported on their way. */
export default function CurvesTab() {
  return <CurvesPlot height={520} />;
}
