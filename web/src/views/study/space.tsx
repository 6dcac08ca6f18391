import { SimpleGrid, Stack } from "@mantine/core";
import { ContourPlot } from "../../plots/contour.tsx";
import { ImportancePlot } from "../../plots/importance.tsx";
import { SlicePlot } from "../../plots/slice.tsx";

/** Where in the space the good trials are. */
export default function Space() {
  return (
    <Stack gap="sm">
      <SlicePlot />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">
        <ContourPlot />
        <ImportancePlot height={420} />
      </SimpleGrid>
    </Stack>
  );
}
