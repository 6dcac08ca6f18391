import {
  Alert,
  Anchor,
  Group,
  ScrollArea,
  SegmentedControl,
  Skeleton,
  Stack,
  Switch,
  Table,
  Text,
  Title,
} from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { useMemo, type CSSProperties } from "react";
import { Link } from "wouter";
import { read } from "../../api/client.ts";
import type { components } from "../../api/schema.ts";
import { axis, Chart, usePalette, zooming, type Option } from "../../plots/chart.tsx";
import { plain as tooltipText } from "../../plots/marks.ts";
import { axisNumber, axisSeconds, seconds, sixDigits } from "../../plots/numbers.ts";
import type { Palette } from "../../plots/palette.ts";
import type { StudyDetail } from "../../shared/details.ts";
import { Failure } from "../../shared/failure.tsx";
import { count, duration, goalSign, moment, number, plain } from "../../shared/format.ts";
import { StateBadge } from "../../shared/statebadge.tsx";
import { useTitle } from "../../shared/title.ts";
import { useUrlChoice, useUrlFlag, useUrlList } from "../../shared/urlstate.ts";
import { bestOf, differences, sameGoal } from "./differences.ts";

type History = components["schemas"]["History"];
type Line = { name: string; colour: string; points: [number, number][] };

const OVER = [
  { value: "trial", label: "Trials" },
  { value: "time", label: "Time" },
] as const;

function heading(studies: number): string {
  return studies === 1 ? "One study: choose another to compare" : `${studies} studies compared`;
}

/** Some studies side by side: how their best values came about, and in what they differ. */
export default function Comparison() {
  const [names] = useUrlList("studies");
  const [over, setOver] = useUrlChoice("over", ["trial", "time"], "trial");
  const [log, setLog] = useUrlFlag("log");
  const colours = usePalette();
  useTitle(heading(names.length));
  const details = useQueries({
    queries: names.map((study) => ({
      queryKey: ["study", study, "detail"],
      queryFn: () => read("/api/studies/{study}", { path: { study } }),
    })),
  });
  const histories = useQueries({
    queries: names.map((study) => ({
      queryKey: ["study", study, "views", "history", { over, compared: true }],
      queryFn: () =>
        read("/api/studies/{study}/views/history", { path: { study }, query: { over, marks: 1000 } }),
    })),
  });
  if (names.length === 0) return <Nothing />;
  const failed = [...details, ...histories].find(({ error }) => error !== null)?.error;
  const studies = details.flatMap(({ data }) => (data === undefined ? [] : [data]));
  const lines = names.flatMap((name, at): Line[] => {
    const record = histories[at]?.data;
    const colour = colours.series[at % colours.series.length] ?? colours.ink;
    return record === undefined ? [] : [{ name, colour, points: pointsOf(record) }];
  });
  const whole = studies.length === names.length;
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={1}>{heading(names.length)}</Title>
        <Anchor component={Link} href="/" size="sm">
          All studies
        </Anchor>
      </Group>
      {failed && <Failure error={failed} />}
      {whole && !sameGoal(studies) && (
        <Alert color="yellow" variant="light" p="xs">
          These studies do not have the same objective, so their values do not tell which is better.
        </Alert>
      )}
      <section className="panel" style={{ padding: 12 }} aria-label="Best value so far">
        <Group justify="space-between" gap="xs" mb={4}>
          <Title order={2} size="h4">
            Best value so far
          </Title>
          <Group gap="sm">
            <Switch label="log" checked={log} onChange={(event) => setLog(event.currentTarget.checked)} />
            <SegmentedControl
              size="xs"
              aria-label="Over"
              data={[...OVER]}
              value={over}
              onChange={(value) => setOver(value === "time" ? "time" : "trial")}
            />
          </Group>
        </Group>
        <Legend lines={lines} />
        {lines.length === 0 ? <Skeleton height={340} /> : <Lines {...{ lines, over, log, studies }} />}
      </section>
      {whole && <Sides studies={studies} lines={lines} />}
    </Stack>
  );
}

function Lines(given: { lines: Line[]; over: "trial" | "time"; log: boolean; studies: StudyDetail[] }) {
  const { lines, over, log, studies } = given;
  const colours = usePalette();
  const metrics = new Set(studies.map(({ objectives }) => objectives[0]?.metric));
  const metric = metrics.size === 1 ? ([...metrics][0] ?? "value") : "value";
  const option = useMemo(
    () => optionOf({ lines, over, log, metric, colours }),
    [lines, over, log, metric, colours],
  );
  const summary = lines
    .map(({ name, points }) => `${name}: ${number(points.at(-1)?.[1])} in the end`)
    .join("; ");
  return (
    <Chart option={option} label={`Best ${metric} so far of each study`} summary={summary} height={340} />
  );
}

function optionOf(given: {
  lines: Line[];
  over: string;
  log: boolean;
  metric: string;
  colours: Palette;
}): Option {
  const { lines, over, log, metric, colours } = given;
  const time = over === "time";
  return {
    grid: { left: 62, right: 18, top: 14, bottom: 42 },
    xAxis: axis(colours, {
      type: "value",
      name: time ? "time with a runner attached" : "trial",
      nameGap: 26,
      min: 0,
      axisLabel: { color: colours.faint, formatter: time ? axisSeconds : axisNumber, hideOverlap: true },
    }),
    yAxis: axis(colours, {
      type: log ? "log" : "value",
      name: metric,
      nameGap: 48,
      axisLabel: { color: colours.faint, formatter: axisNumber, hideOverlap: true },
    }),
    tooltip: {
      formatter: (met: { seriesName: string; value: [number, number] }) =>
        `${tooltipText(met.seriesName)}\n${time ? seconds(met.value[0]) : `trial ${met.value[0]}`}: ${sixDigits(met.value[1])}`,
    },
    series: lines.map(({ name, colour, points }) => ({
      id: name,
      name,
      type: "line",
      step: "end",
      symbol: "circle",
      symbolSize: 5,
      data: points.filter(([, y]) => !log || y > 0),
      lineStyle: { color: colour, width: 2 },
      itemStyle: { color: colour },
      emphasis: { focus: "series" },
    })),
    ...zooming("none"),
  };
}

/** The best value from each moment on, the last one up to where the study stands now. */
function pointsOf(record: History): [number, number][] {
  const points = record.best_x.map((x, at): [number, number] => [Number(x), Number(record.best_value[at])]);
  const drawn = points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  const last = drawn.at(-1);
  const end = Number(record.end);
  return last === undefined || !(end > last[0]) ? drawn : [...drawn, [end, last[1]]];
}

function Legend({ lines }: { lines: readonly Line[] }) {
  return (
    <Group gap="md" mb={4}>
      {lines.map(({ name, colour }) => (
        <Group key={name} gap={6} wrap="nowrap">
          <span
            className="dot"
            style={{ "--colour": colour, width: 14, height: 3, borderRadius: 2 } as CSSProperties}
          />
          <Anchor component={Link} href={`/studies/${encodeURIComponent(name)}`} size="sm">
            {name}
          </Anchor>
        </Group>
      ))}
    </Group>
  );
}

function Sides({ studies, lines }: { studies: readonly StudyDetail[]; lines: readonly Line[] }) {
  const differing = differences(studies.map(({ spec }) => spec));
  const metrics = [...new Set(studies.flatMap(({ objectives }) => objectives.map(({ metric }) => metric)))];
  const winners = studies.map(({ winners: [first] }) => first);
  const params = differences(winners.map((winner) => winner?.params ?? {}));
  return (
    <ScrollArea className="panel">
      <Table className="rows" aria-label="The studies side by side">
        <Table.Thead>
          <Table.Tr>
            <Table.Td />
            {studies.map(({ name }) => (
              <Table.Th key={name} scope="col">
                <span
                  className="dot"
                  style={
                    {
                      "--colour": lines.find((line) => line.name === name)?.colour,
                      marginRight: 6,
                    } as CSSProperties
                  }
                />
                {name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          <Side
            label="state"
            cells={studies.map((study) => (
              <StateBadge key={study.name} state={study.state} />
            ))}
          />
          {metrics.map((metric) => (
            <Side
              key={metric}
              label={`best ${metric} ${goalSign(studies.flatMap(({ objectives }) => objectives).find((one) => one.metric === metric)?.goal)}`}
              cells={studies.map((study) => number(bestOf(study, metric)))}
            />
          ))}
          <Side label="trials" cells={studies.map((study) => count(study.trials))} />
          <Side label="failed" cells={studies.map((study) => count(study.counts.failed ?? 0))} />
          <Side label="ran" cells={studies.map((study) => duration(study.elapsed))} />
          <Side label="created" cells={studies.map((study) => moment(study.created))} />
          <Heading
            text={params.length === 0 ? "The best configurations are the same" : "The best configurations"}
            of={studies.length}
          />
          {params.map(({ path, values }) => (
            <Side key={path} label={path} cells={values.map(plain)} />
          ))}
          <Heading
            text={
              differing.length === 0 ? "The study files say the same" : "What the study files say differently"
            }
            of={studies.length}
          />
          {differing.map(({ path, values }) => (
            <Side key={path} label={path} cells={values.map(plain)} />
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea>
  );
}

function Side({ label, cells }: { label: string; cells: readonly React.ReactNode[] }) {
  return (
    <Table.Tr>
      <Table.Th scope="row" style={{ position: "static", fontWeight: 500 }}>
        {label}
      </Table.Th>
      {cells.map((cell, at) => (
        <Table.Td key={at} style={{ overflowWrap: "anywhere", minWidth: 110 }}>
          {cell}
        </Table.Td>
      ))}
    </Table.Tr>
  );
}

function Heading({ text, of }: { text: string; of: number }) {
  return (
    <Table.Tr>
      <Table.Th colSpan={of + 1} scope="colgroup" pt="md" style={{ position: "static" }}>
        <Text span size="sm" fw={600} c="var(--mantine-color-text)">
          {text}
        </Text>
      </Table.Th>
    </Table.Tr>
  );
}

function Nothing() {
  return (
    <Stack gap="xs" py="xl">
      <Title order={1}>Nothing to compare</Title>
      <Text>
        Choose two or more studies on{" "}
        <Anchor component={Link} href="/">
          the first page
        </Anchor>
        , then Compare.
      </Text>
    </Stack>
  );
}
