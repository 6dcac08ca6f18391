import { Alert, Button, Checkbox, Group, Skeleton, Table, Text } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { read } from "../../api/client.ts";
import { Chart, usePalette } from "../../plots/chart.tsx";
import { Choose, UrlSwitch } from "../../plots/controls.tsx";
import { showing } from "../../plots/marks.ts";
import { goalInWords } from "../../shared/format.ts";
import { useUrlChoice, useUrlFlag, useUrlList } from "../../shared/urlstate.ts";
import { curveOption, curveSummary } from "./curveoption.ts";
import type { Over } from "./curvepoints.ts";
import { Nothing, Section } from "./section.tsx";
import type { Curve, Detail } from "./types.ts";
import { number } from "./words.ts";

const FIRST_SHOWN = 1;
const MOST_PICKED = 30;

function useCurve(study: string, trial: number | null) {
  return useQuery({
    queryKey: ["study", study, "trial", trial, "curve"],
    queryFn: ({ signal }) =>
      read("/api/studies/{study}/trials/{number}/curve", { path: { study, number: trial ?? 0 }, signal }),
    placeholderData: keepPreviousData,
    enabled: trial !== null,
  });
}

/** What the trial reported: a line for each metric, beside the best trial's, with the rungs it met; and a table. */
export function Metrics({ detail }: { detail: Detail }) {
  const { study, record, best } = detail;
  const mine = useCurve(study, record.number);
  const [compare, setCompare] = useUrlFlag("curve.best", true);
  const other = best !== null && best !== record.number && compare ? best : null;
  const others = useCurve(study, other);
  const reported = mine.data?.metrics.map((metric) => metric.name) ?? [];
  return (
    <Section
      title="Metrics"
      name="metrics"
      aside={
        reported.length > 0 && (
          <Options
            comparable={best !== null && best !== record.number}
            compare={compare}
            setCompare={setCompare}
          />
        )
      }
    >
      {mine.error && (
        <Alert color="red" variant="light" title={mine.error.message}>
          <Button size="compact-xs" variant="default" onClick={() => void mine.refetch()}>
            Try again
          </Button>
        </Alert>
      )}
      {mine.data === undefined && !mine.error && <Skeleton height={260} aria-hidden />}
      {mine.data !== undefined && reported.length === 0 && (
        <Nothing>
          {record.state === "waiting" || record.state === "running"
            ? "It has reported nothing yet. Its program reports by printing `name: value`, a JSON object a line, or rung.report(...)."
            : "It reported no metrics on the way."}
        </Nothing>
      )}
      {mine.data !== undefined && reported.length > 0 && (
        <Plot curve={mine.data} best={other === null ? null : (others.data ?? null)} metric={detail.metric} />
      )}
      <MetricTable detail={detail} />
    </Section>
  );
}

function Options(props: { comparable: boolean; compare: boolean; setCompare: (on: boolean) => void }) {
  const [over, setOver] = useUrlChoice<Over>("curve.over", ["step", "time"], "step");
  return (
    <>
      <Choose<Over>
        label="Draw over"
        value={over}
        choices={[
          { value: "step", label: "Steps" },
          { value: "time", label: "Time" },
        ]}
        onChange={(value) => setOver(value)}
      />
      <UrlSwitch name="curve.logx" label="log x" />
      <UrlSwitch name="curve.logy" label="log y" />
      {props.comparable && (
        <Checkbox
          size="xs"
          label="with the best trial"
          checked={props.compare}
          onChange={(event) => props.setCompare(event.currentTarget.checked)}
        />
      )}
    </>
  );
}

function Plot({ curve, best, metric }: { curve: Curve; best: Curve | null; metric: string | null }) {
  const colours = usePalette();
  const [over] = useUrlChoice<Over>("curve.over", ["step", "time"], "step");
  const [logX] = useUrlFlag("curve.logx");
  const [logY] = useUrlFlag("curve.logy");
  const [picked, setPicked] = useUrlList("curve.metrics");
  const known = curve.metrics.map((one) => one.name);
  const chosen = picked.filter((name) => known.includes(name));
  const names = chosen.length > 0 ? chosen : known.slice(0, FIRST_SHOWN);
  const option = curveOption({ curve, best, names, over, logX, logY, metric, colours });
  return (
    <>
      {known.length > 1 && (
        <Checkbox.Group
          value={names}
          onChange={(list) => setPicked(known.filter((name) => list.includes(name)))}
          aria-label="Metrics to draw"
        >
          <Group gap="xs" mb={4}>
            {known.slice(0, MOST_PICKED).map((name) => (
              <Checkbox
                key={name}
                size="xs"
                value={name}
                label={name}
                styles={{ label: { overflowWrap: "anywhere" } }}
              />
            ))}
          </Group>
        </Checkbox.Group>
      )}
      <Chart
        option={option}
        label={`${names.join(", ")} of trial ${curve.trial} over ${over === "step" ? curve.resource : "time"}`}
        summary={curveSummary(curve, names)}
        height={280}
      />
      <Group justify="space-between" gap="xs">
        <Text size="xs" c="dimmed">
          {best === null ? "" : `Dashed: trial ${best.trial}, the best. `}
          {curve.rungs.some((rung) => rung.threshold !== null) && over === "step"
            ? "Diamonds: what was needed at its rungs."
            : ""}
        </Text>
        <Text size="xs" c="dimmed">
          {showing(curve.shown, curve.of, "values")}
        </Text>
      </Group>
    </>
  );
}

function MetricTable({ detail }: { detail: Detail }) {
  const { metrics, best, record } = detail;
  if (metrics.length === 0) return null;
  const compare = best !== null && best !== record.number;
  return (
    <Table.ScrollContainer minWidth={470} type="native" mt="xs">
      <Table fz="sm" verticalSpacing={3}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Metric</Table.Th>
            <Table.Th>Last</Table.Th>
            <Table.Th>Best</Table.Th>
            <Table.Th>Least to greatest</Table.Th>
            {compare && <Table.Th>Best trial</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody style={{ fontVariantNumeric: "tabular-nums" }}>
          {metrics.map((one) => (
            <Table.Tr key={one.name} data-metric={one.name}>
              <Table.Th scope="row" fw={500} style={{ overflowWrap: "anywhere", maxWidth: 220 }}>
                {one.name}
                <Text span size="xs" c="dimmed">
                  {one.goal === null ? "" : ` ${goalInWords(one.goal)}`}
                  {one.kept === null ? "" : one.kept ? " (bound kept)" : " (bound broken)"}
                </Text>
              </Table.Th>
              <Table.Td>{number(one.counts ?? one.last)}</Table.Td>
              <Table.Td>
                {number(one.best)}
                {one.best_step !== null && (
                  <Text span size="xs" c="dimmed">
                    {" "}
                    at {number(one.best_step)}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>{one.low === null ? "—" : `${number(one.low)} to ${number(one.high)}`}</Table.Td>
              {compare && <Table.Td>{number(one.beside)}</Table.Td>}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
