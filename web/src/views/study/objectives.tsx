import { Stack } from "@mantine/core";
import { EdfPlot } from "../../plots/edf.tsx";
import { ParetoPlot } from "../../plots/pareto.tsx";
import { useWatching } from "../../plots/watching.tsx";

/** What the trials came to. */
export default function Objectives() {
  const { objectives } = useWatching();
  return (
    <Stack gap="sm">
      {objectives.length > 1 && <ParetoPlot />}
      <EdfPlot />
      {objectives.length <= 1 && <ParetoPlot />}
    </Stack>
  );
}
