import { Paper, SimpleGrid, Stack, Title } from "@mantine/core";
import { HistoryPlot } from "../../plots/history.tsx";
import { ImportancePlot } from "../../plots/importance.tsx";
import { ParallelPlot } from "../../plots/parallel.tsx";
import { useVisible } from "../../plots/visible.ts";
import { useWatching } from "../../plots/watching.tsx";
import TableTab from "./tabletab.tsx";

/** How the search goes, and which parameters matter. */
export default function Overview({ where, sel }: { where: string; sel: string }) {
  const { study } = useWatching();
  const [box, visible] = useVisible();
  return (
    <Stack gap="sm">
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">
        <HistoryPlot />
        <ImportancePlot />
      </SimpleGrid>
      <ParallelPlot />
      <Paper component="section" ref={box} withBorder p="sm" mih={200} aria-label="Trials">
        <Title order={2} size="h5" mb={4}>
          Trials
        </Title>
        {visible && <TableTab study={study} where={where} sel={sel} />}
      </Paper>
    </Stack>
  );
}
