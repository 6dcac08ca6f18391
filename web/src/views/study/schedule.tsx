import { Stack } from "@mantine/core";
import { RungsPlot } from "../../plots/rungs.tsx";
import { TimelinePlot } from "../../plots/timeline.tsx";

/** Who was let go on, who was stopped, and who worked when. */
export default function Schedule() {
  return (
    <Stack gap="sm">
      <RungsPlot />
      <TimelinePlot />
    </Stack>
  );
}
