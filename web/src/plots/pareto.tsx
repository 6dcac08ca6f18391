import { SimpleGrid, Text } from "@mantine/core";
import { useMemo } from "react";
import type { components } from "../api/schema.ts";
import { useUrlFlag, useUrlState } from "../shared/urlstate.ts";
import { isRange, type Selection } from "./brushing.ts";
import { PlotCard } from "./card.tsx";
import { axis, Chart, selecting, usePalette, zooming, type Drag, type Option } from "./chart.tsx";
import { valueColumn } from "./columns.ts";
import { Pick, UrlSwitch, useDragging } from "./controls.tsx";
import { frontLine, stairs } from "./fronts.ts";
import { fromWire, plain, showing, type Area, type Span } from "./marks.ts";
import { axisNumber, sixDigits } from "./numbers.ts";
import type { Palette } from "./palette.ts";
import { placesOfPoints, scattered, trialOfPoint } from "./scatter.ts";
import { useWatching } from "./watching.tsx";

type Pareto = components["schemas"]["Pareto"];
type Axis = Pareto["axes"][number];
type Volume = components["schemas"]["Volume"];

/** The Pareto front of two objectives, and how its hypervolume grew. */
export function ParetoPlot() {
  const { objectives } = useWatching();
  const [x, setX] = useUrlState("pareto.x");
  const [y, setY] = useUrlState("pareto.y");
  const [logX] = useUrlFlag("pareto.logx");
  const [logY] = useUrlFlag("pareto.logy");
  const dragging = useDragging("pareto");
  return (
    <PlotCard<Pareto>
      name="pareto"
      title="Pareto front"
      about="Trials that no other trial beats in every objective. Left: all trials; right: how the front grew."
      height={400}
      empty={(record) => {
        if (record.axes.length < 2) return "This study has fewer than two objectives: there is no front.";
        return record.of === 0 ? "No trial has a value of every objective yet." : "";
      }}
      note={(record) =>
        [
          `${record.on_front.toLocaleString("en")} on the front`,
          record.feasible_trials < record.of
            ? `${record.of - record.feasible_trials} break an outcome’s bound`
            : "",
          showing(record.shown, record.of),
        ]
          .filter(Boolean)
          .join(" · ")
      }
      table={(record) => ({
        columns: ["trial", "state", "on the front", ...record.axes.map((one) => one.metric)],
        rows: record.number.map((trial, at) => [
          trial,
          record.state[at] ?? "",
          record.front[at] ? "yes" : "",
          ...record.axes.map((one) => String(one.values[at])),
        ]),
      })}
      controls={
        <>
          {objectives.length > 2 && (
            <>
              <Pick label="Across" value={x || (objectives[0] ?? "")} choices={objectives} onChange={setX} />
              <Pick label="Up" value={y || (objectives[1] ?? "")} choices={objectives} onChange={setY} />
            </>
          )}
          <UrlSwitch name="pareto.logx" label="log x" />
          <UrlSwitch name="pareto.logy" label="log y" />
          {dragging.controls}
        </>
      }
    >
      {(record) => {
        const across = record.axes.find((one) => one.metric === x) ?? record.axes[0];
        const up =
          record.axes.find((one) => one.metric === y && one !== across) ??
          record.axes.find((one) => one !== across);
        if (across === undefined || up === undefined) return null;
        return (
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <Front
              record={record}
              x={across}
              y={up}
              logX={logX}
              logY={logY}
              drag={dragging.drag}
              zoom={dragging.zoom}
              onZoom={dragging.onZoom}
            />
            {record.hypervolume == null ? (
              <Text size="sm" c="dimmed">
                No hypervolume: nothing on the front is finite, or the front has too many members for an exact
                one.
              </Text>
            ) : (
              <Hypervolume volume={record.hypervolume} trials={Math.max(...record.number) + 1} />
            )}
          </SimpleGrid>
        );
      }}
    </PlotCard>
  );
}

type FrontProps = {
  record: Pareto;
  x: Axis;
  y: Axis;
  logX: boolean;
  logY: boolean;
  drag: Drag;
  zoom: Area;
  onZoom: (area: Area) => void;
};

function span(selection: Selection, column: string): Span | null {
  const part = selection.parts.get(column);
  return isRange(part) && part.low !== null && part.high !== null ? [part.low, part.high] : null;
}

function Front({ record, x, y, logX, logY, drag, zoom, onZoom }: FrontProps) {
  const { chosen, selection, select, open, objectives } = useWatching();
  const colours = usePalette();
  const option = useMemo(
    () => front(record, x, y, logX, logY, drag, chosen, colours),
    [record, x, y, logX, logY, drag, chosen, colours],
  );
  const places = useMemo(() => placesOfPoints(option.series as Option[]), [option]);
  const [across, up] = [valueColumn(x.metric, objectives), valueColumn(y.metric, objectives)];
  return (
    <Chart
      option={option}
      label={`Pareto front of ${x.metric} and ${y.metric}`}
      summary={`${record.on_front} of ${record.of} trials are on the Pareto front of ${record.axes.map((one) => one.metric).join(", ")}.`}
      height={380}
      drag={drag}
      zoom={zoom}
      onZoom={onZoom}
      area={{ x: span(selection, across), y: span(selection, up) }}
      onArea={(area) =>
        select({
          [across]: area.x && { low: area.x[0], high: area.x[1] },
          [up]: area.y && { low: area.y[0], high: area.y[1] },
        })
      }
      trialOf={trialOfPoint}
      placesOf={places}
      onOpen={(met) => {
        const trial = trialOfPoint(met);
        if (trial !== null) open(trial);
      }}
    />
  );
}

function front(
  record: Pareto,
  x: Axis,
  y: Axis,
  logX: boolean,
  logY: boolean,
  drag: Drag,
  chosen: ((trial: number) => boolean) | null,
  colours: Palette,
): Option {
  const looks = new Map([
    ["infeasible", { color: colours.states.waiting ?? "", symbol: "diamond" }],
    ["other", { color: colours.series[0] ?? "" }],
    ["front", { color: colours.accent, size: 9 }],
  ]);
  const marks = {
    number: record.number,
    x: x.values.map(fromWire),
    y: y.values.map(fromWire),
    group: record.number.map((_, at) =>
      record.front[at] ? "front" : record.feasible[at] ? "other" : "infeasible",
    ),
  };
  const member = record.number.flatMap((_, at) => (record.front[at] ? [at] : []));
  const points = member.map((at): [number, number] => [marks.x[at] ?? Number.NaN, marks.y[at] ?? Number.NaN]);
  const line = record.axes.length === 2 ? frontLine(points, x.goal, y.goal) : [];
  return {
    grid: { left: 62, right: 16, top: 12, bottom: 42 },
    tooltip: {
      formatter: ({ value }: { value: number[] }) => {
        const at = record.number.indexOf(value[2] ?? -1);
        const words = record.axes.map(
          (one) => `${plain(one.metric, 40)}: ${sixDigits(fromWire(one.values[at]))}`,
        );
        return [`Trial ${value[2]}${record.front[at] ? " · on the front" : ""}`, ...words].join("\n");
      },
    },
    xAxis: metric(colours, x, logX, 26),
    yAxis: metric(colours, y, logY, 48),
    series: [
      ...scattered({ marks, looks, chosen, colours, logX, logY }),
      {
        id: "front-line",
        type: "line",
        data: line.filter(([a, b]) => (!logX || a > 0) && (!logY || b > 0)),
        symbol: "none",
        silent: true,
        z: 1,
        lineStyle: { color: colours.accent, width: 1.5, opacity: 0.7 },
        tooltip: { show: false },
      },
    ],
    ...zooming(drag),
    ...selecting(colours),
  };
}

function metric(colours: Palette, of: Axis, log: boolean, nameGap: number): Option {
  const goal = typeof of.goal === "number" ? `near ${of.goal}` : of.goal;
  return axis(colours, {
    type: log ? "log" : "value",
    name: `${plain(of.metric, 40)} (${goal})`,
    nameGap,
    axisLabel: { color: colours.faint, hideOverlap: true, formatter: axisNumber },
  });
}

function Hypervolume({ volume, trials }: { volume: Volume; trials: number }) {
  const colours = usePalette();
  const option = useMemo(() => {
    const points = volume.x.map((x, at): [number, number] => [x, fromWire(volume.y[at])]);
    return {
      grid: { left: 62, right: 16, top: 12, bottom: 42 },
      tooltip: {
        trigger: "axis",
        axisPointer: { type: "line", lineStyle: { color: colours.faint } },
        formatter: (met: { value: number[] }[]) =>
          `After trial ${met[0]?.value[0] ?? ""}\nhypervolume: ${sixDigits(met[0]?.value[1] ?? Number.NaN)}`,
      },
      xAxis: axis(colours, {
        type: "value",
        name: "trial",
        nameGap: 26,
        minInterval: 1,
        splitLine: { show: false },
      }),
      yAxis: axis(colours, {
        type: "value",
        name: "hypervolume",
        nameGap: 48,
        axisLabel: { color: colours.faint, hideOverlap: true, formatter: axisNumber },
      }),
      series: [
        {
          id: "hypervolume",
          type: "line",
          symbol: "none",
          data: stairs(points, trials),
          lineStyle: { color: colours.ink, width: 2 },
        },
      ],
    };
  }, [volume, trials, colours]);
  return (
    <div data-testid="plot-hypervolume">
      <Chart
        option={option}
        label="Hypervolume over trials"
        summary={`The hypervolume is ${sixDigits(fromWire(volume.value))}, up to the point ${volume.reference.map((value) => sixDigits(fromWire(value))).join(", ")}.`}
        height={380}
      />
    </div>
  );
}
