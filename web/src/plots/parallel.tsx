import { Box, useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";
import type { components } from "../api/schema.ts";
import { useUrlChoice, useUrlList, useUrlState } from "../shared/urlstate.ts";
import { arranged, moved } from "./axisorder.ts";
import { AxesPick, AxisHandles, PARALLEL_SIDE } from "./axishandles.tsx";
import { PlotCard } from "./card.tsx";
import { Chart, usePalette, type Option } from "./chart.tsx";
import { ColourBar } from "./colourbar.tsx";
import { valueColumn } from "./columns.ts";
import { Pick } from "./controls.tsx";
import { fromWire, plain, showing, type Span } from "./marks.ts";
import { axisNumber, sixDigits } from "./numbers.ts";
import { ObjectivePick } from "./objectivepick.tsx";
import { blended, shares, towardsBest, type Palette } from "./palette.ts";
import { brushedPart, ends, isLog, partSpan, placed, valueAt, type ParameterAxis } from "./parameteraxis.ts";
import { parameterWords } from "./parameterscale.ts";
import { asList } from "./slice.tsx";
import { useWatching } from "./watching.tsx";

type Parallel = components["schemas"]["Parallel"];
type Line = components["schemas"]["Line"];

const HEIGHT = 330;
const TOP = 34;
const NARROWEST = 92;
const MANY = 12;
const BEST = [
  { value: "0", label: "All trials" },
  { value: "500", label: "Best 500" },
  { value: "100", label: "Best 100" },
  { value: "20", label: "Best 20" },
];

/** The column of an axis. */
function columnOf(line: Line, objectives: readonly string[]): string {
  return line.group === "params" ? `params.${line.axis.name}` : valueColumn(line.axis.name, objectives);
}

/** The trials as lines over parameters and objectives. */
export function ParallelPlot() {
  const { parameters, objectives } = useWatching();
  const [axes, setAxes] = useUrlList("parallel.axes");
  const [flipped, setFlipped] = useUrlList("parallel.log");
  const [colour, setColour] = useUrlState("parallel.colour");
  const [objective] = useUrlState("parallel.objective");
  const [top, setTop] = useUrlChoice("parallel.top", ["0", "500", "100", "20"], "0");
  const asked = axes.flatMap((column) =>
    column.startsWith("params.") ? [column.slice("params.".length)] : [],
  );
  const order = parameters.length > MANY ? "importance" : "declared";
  return (
    <PlotCard<Parallel>
      name="parallel"
      title="Parallel coordinates"
      judges
      options={{ parameters: asList(asked), order, objective, top: Number(top) }}
      height={HEIGHT}
      empty={(record) => {
        if (record.of === 0) return "No trial has a finite value yet.";
        return record.axes.length < 2 ? "At least two axes are needed: tick some under Axes." : "";
      }}
      note={(record) =>
        [
          showing(record.shown, record.of),
          hiddenOf(record, axes) ? `${hiddenOf(record, axes)} more parameters under Axes` : "",
          record.unusable ? `${record.unusable} without a finite value` : "",
        ]
          .filter(Boolean)
          .join(" · ")
      }
      table={(record) => ({
        columns: ["trial", "state", ...record.axes.map((line) => line.axis.name)],
        rows: record.number.map((trial, at) => [
          trial,
          record.state[at] ?? "",
          ...record.axes.map((line) => said(line, line.values[at])),
        ]),
      })}
      controls={
        <>
          <AxesPick axes={axes} onAxes={setAxes} flipped={flipped} onFlipped={setFlipped} />
          <Pick
            label="Which trials"
            value={top}
            choices={BEST}
            onChange={(value) => setTop(value as typeof top)}
          />
          <Pick
            label="Colour by"
            value={colour}
            choices={[
              { value: "", label: "Colour: objective" },
              ...[
                ...parameters.map((name) => `params.${name}`),
                ...objectives.map((name) => valueColumn(name, objectives)),
              ].map((column) => ({ value: column, label: plain(column, 40) })),
            ]}
            onChange={setColour}
          />
          <ObjectivePick name="parallel.objective" />
        </>
      }
    >
      {(record) => <Drawn record={record} axes={axes} flipped={flipped} onAxes={setAxes} colour={colour} />}
    </PlotCard>
  );
}

// Without a word of the user: the objectives, and the parameters that matter most.
function visible(record: Parallel, axes: readonly string[], objectives: readonly string[]): Line[] {
  if (axes.length > 0) return arranged(record.axes, axes, (line) => columnOf(line, objectives));
  const params = record.axes.filter((line) => line.group === "params").slice(0, MANY);
  return [...params, ...record.axes.filter((line) => line.group === "metrics")];
}

function hiddenOf(record: Parallel, axes: readonly string[]): number {
  if (axes.length > 0) return 0;
  return Math.max(0, record.axes.filter((line) => line.group === "params").length - MANY);
}

function flip(line: Line): Line {
  const able = line.axis.kind !== "category" && line.axis.low > 0;
  return { ...line, axis: { ...line.axis, scale: line.axis.scale === "linear" && able ? "log" : "linear" } };
}

function said(line: Line, value: number | string | null | undefined): string | number | null {
  if (value === null || value === undefined) return null;
  return line.axis.kind === "category" ? (line.axis.categories?.[fromWire(value)] ?? null) : fromWire(value);
}

type DrawnProps = {
  record: Parallel;
  axes: readonly string[];
  flipped: readonly string[];
  onAxes: (axes: string[]) => void;
  colour: string;
};

function Drawn({ record, axes, flipped, onAxes, colour }: DrawnProps) {
  const { chosen, selection, select, open, objectives, valueOf } = useWatching();
  const colours = usePalette();
  const wanted = JSON.stringify([axes, flipped]);
  const lines = useMemo(() => {
    const [shown, other] = JSON.parse(wanted) as [string[], string[]];
    return visible(record, shown, objectives).map((line) =>
      other.includes(columnOf(line, objectives)) ? flip(line) : line,
    );
  }, [record, wanted, objectives]);
  const ramp = towardsBest(useComputedColorScheme("light"), record.goal);
  const painted = useMemo(
    () => paint(record, lines, colour, objectives),
    [record, lines, colour, objectives],
  );
  const option = useMemo(
    () => drawn(record, lines, painted.share, chosen, colours, ramp),
    [record, lines, painted, chosen, colours, ramp],
  );
  const columns = lines.map((line) => columnOf(line, objectives));
  const spans = lines.map((line, at): Span | null => {
    const part = selection.parts.get(columns[at] ?? "");
    return partSpan(line.axis, part, valueOf(line.axis.name));
  });
  const trialAt = (seriesId: string, dataIndex: number): number | null => {
    const series = (option.series as { id: string; trials: number[] }[]).find((one) => one.id === seriesId);
    return series?.trials[dataIndex] ?? null;
  };
  return (
    <Box
      style={{ overflowX: "auto" }}
      tabIndex={lines.length > 4 ? 0 : undefined}
      aria-label="Axes, from left to right"
      role="group"
    >
      <Box pos="relative" miw={Math.max(300, lines.length * NARROWEST)}>
        <AxisHandles
          axes={lines.map((line, at) => ({ column: columns[at] ?? "", label: line.axis.name }))}
          onMove={(from, to) => onAxes(moved(columns, from, to))}
        />
        <Chart
          option={option}
          label="Parallel coordinates"
          summary={`${record.shown} of ${record.of} trials as lines over ${lines.map((line) => line.axis.name).join(", ")}. Drag along an axis to select.`}
          height={HEIGHT}
          spans={spans}
          onEvent={{
            axisareaselected: (event) => {
              const { parallelAxisId = "", intervals = [] } = event as {
                parallelAxisId?: string;
                intervals?: Span[];
              };
              const at = Number(parallelAxisId.replace("axis-", ""));
              const line = lines[at];
              if (line === undefined) return;
              const [low, high] = ends(line.axis);
              const [span = null] = intervals;
              const within: Span | null = span && [
                Math.max(low, Math.min(...span)),
                Math.min(high, Math.max(...span)),
              ];
              select({ [columns[at] ?? ""]: brushedPart(line.axis, within, valueOf(line.axis.name)) });
            },
          }}
          trialOf={(met) => trialAt(met.seriesId, met.dataIndex)}
          placesOf={(trial) =>
            (option.series as { trials: number[] }[]).flatMap((one, seriesIndex) => {
              const dataIndex = one.trials.indexOf(trial);
              return dataIndex < 0 ? [] : [{ seriesIndex, dataIndex }];
            })
          }
          onOpen={(met) => {
            const trial = trialAt(met.seriesId, met.dataIndex);
            if (trial !== null) open(trial);
          }}
        />
      </Box>
      <ColourBar colours={ramp} low={painted.low} high={painted.high} label={painted.label} />
    </Box>
  );
}

/** Each trial's place on the colour scale, and what the scale is of. */
function paint(record: Parallel, lines: readonly Line[], colour: string, objectives: readonly string[]) {
  const line = colour === "" ? undefined : lines.find((one) => columnOf(one, objectives) === colour);
  if (line === undefined) {
    const [low, high] = [fromWire(record.low), fromWire(record.high)];
    const share = (at: number) => (fromWire(record.value[at]) - low) / (high > low ? high - low : 1);
    return { share, low, high, label: plain(record.metric, 40) };
  }
  const values = line.values.map((value) => fromWire(value));
  const of = shares(values, isLog(line.axis));
  const { low, high } = line.axis;
  return { share: (at: number) => of(values[at] ?? Number.NaN), low, high, label: plain(line.axis.name, 40) };
}

function drawn(
  record: Parallel,
  lines: readonly Line[],
  share: (at: number) => number,
  chosen: ((trial: number) => boolean) | null,
  colours: Palette,
  ramp: readonly string[],
): Option {
  const many = record.number.length > 300;
  const series = (id: string, ats: number[], opacity: number, more: Option) => ({
    id,
    type: "parallel",
    trials: ats.map((at) => record.number[at] ?? 0),
    data: ats.map((at) => ({
      value: lines.map((line) => crossing(line.axis, line.values[at], record.number[at] ?? 0)),
      lineStyle: { color: id === "dim" ? colours.dimmed : blended(ramp, share(at)) },
    })),
    lineStyle: { width: many ? 1 : 1.4, opacity },
    activeOpacity: opacity,
    inactiveOpacity: opacity,
    emphasis: { lineStyle: { width: 3, opacity: 1 } },
    progressive: 0,
    smooth: false,
    ...more,
  });
  const every = record.number.map((_, at) => at);
  const inside = (at: number) => chosen === null || chosen(record.number[at] ?? 0);
  return {
    parallel: { left: PARALLEL_SIDE, right: PARALLEL_SIDE, top: TOP, bottom: 26 },
    tooltip: {
      formatter: (met: { seriesIndex: number; dataIndex: number }) => {
        const at =
          (met.seriesIndex === 0 ? every.filter((one) => !inside(one)) : every.filter(inside))[
            met.dataIndex
          ] ?? 0;
        const words = lines.slice(0, 14).map((line) => crossed(line, line.values[at]));
        return [`Trial ${record.number[at]} · place ${(record.rank[at] ?? 0) + 1}`, ...words].join("\n");
      },
    },
    parallelAxis: lines.map((line, at) => axisOf(line.axis, at, colours)),
    series: [
      series(
        "dim",
        every.filter((at) => !inside(at)),
        1,
        { z: 1, silent: true },
      ),
      series("trials", every.filter(inside), many ? 0.55 : 0.8, { z: 2 }),
    ],
  };
}

// A trial without the parameter passes the axis by.
function crossing(
  axis: ParameterAxis,
  value: number | string | null | undefined,
  trial: number,
): number | string {
  const at = value === null || value === undefined ? Number.NaN : placed(axis, fromWire(value), trial);
  return Number.isFinite(at) && !(isLog(axis) && at <= 0) ? at : "-";
}

function crossed(line: Line, value: number | string | null | undefined): string {
  if (value === null || value === undefined) return `${plain(line.axis.name, 40)}: inactive`;
  return parameterWords(line.axis, fromWire(value), sixDigits);
}

function axisOf(of: ParameterAxis, at: number, colours: Palette): Option {
  const [min, max] = ends(of);
  const labels = of.categories ?? [];
  const category = of.kind === "category";
  return {
    id: `axis-${at}`,
    dim: at,
    type: isLog(of) ? "log" : "value",
    name: "",
    min,
    max,
    realtime: false,
    axisLine: { lineStyle: { color: colours.faint, width: 1.2 } },
    axisTick: { show: !category, lineStyle: { color: colours.faint } },
    splitLine: { show: false },
    axisLabel: {
      color: colours.ink,
      fontSize: 11,
      width: 72,
      overflow: "truncate",
      hideOverlap: true,
      textBorderColor: colours.ground,
      textBorderWidth: 3,
      customValues: category ? labels.map((_, place) => place) : undefined,
      formatter: (place: number) =>
        category ? plain(labels[Math.round(place)] ?? "", 24) : axisNumber(valueAt(of, place)),
    },
    areaSelectStyle: {
      width: 18,
      borderWidth: 1,
      borderColor: colours.accent,
      color: colours.accent,
      opacity: 0.25,
    },
  };
}
