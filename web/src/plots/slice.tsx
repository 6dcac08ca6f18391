import { SimpleGrid, useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";
import type { components } from "../api/schema.ts";
import { useUrlFlag, useUrlList, useUrlState } from "../shared/urlstate.ts";
import { isRange } from "./brushing.ts";
import { PlotCard } from "./card.tsx";
import { axis, Chart, selecting, usePalette, type Drag, type Option } from "./chart.tsx";
import { ColourBar } from "./colourbar.tsx";
import { parameterColumn, valueColumn } from "./columns.ts";
import { UrlSwitch, useDragging } from "./controls.tsx";
import { fromWire, plain, showing } from "./marks.ts";
import { axisNumber, sixDigits } from "./numbers.ts";
import { ObjectivePick } from "./objectivepick.tsx";
import { blended, sequence, type Palette } from "./palette.ts";
import { brushedPart, isLog, partSpan, placed, valueAt } from "./parameteraxis.ts";
import { parameterScale, parameterWords } from "./parameterscale.ts";
import { ParametersPick } from "./parameterspick.tsx";
import { placesOfPoints, scattered, trialOfPoint, type Look } from "./scatter.ts";
import { useWatching } from "./watching.tsx";

type Slices = components["schemas"]["Slices"];
type ParameterSlice = components["schemas"]["ParameterSlice"];
type Chosen = ((trial: number) => boolean) | null;

const AGES = 6;
const MOST_MARKS = 4800;

/** The objective over each of some parameters. */
export function SlicePlot() {
  const [names] = useUrlList("slice.parameters");
  const [objective] = useUrlState("slice.objective");
  const [logY] = useUrlFlag("slice.logy");
  const dragging = useDragging("slice", ["select"]);
  const colours = sequence(useComputedColorScheme("light"));
  // The record has one mark a trial for all parameters: all the panels together hold at most 5,000 marks.
  const marks = Math.max(300, Math.floor(MOST_MARKS / Math.max(1, names.length || 6)));
  return (
    <PlotCard<Slices>
      name="slice"
      title="Slices: the objective over each parameter"
      judges
      options={{ parameters: asList(names), objective, marks }}
      height={520}
      empty={(record) =>
        record.of === 0
          ? "No trial has a finite value yet."
          : record.parameters.length === 0
            ? "No parameter to show."
            : ""
      }
      note={(record) =>
        [showing(record.shown, record.of), record.unusable ? `${record.unusable} without a finite value` : ""]
          .filter(Boolean)
          .join(" · ")
      }
      table={(record) => ({
        columns: ["trial", "state", ...record.parameters.map((one) => one.axis.name), record.metric],
        rows: record.number.map((trial, at) => [
          trial,
          record.state[at] ?? "",
          ...record.parameters.map((one) => said(one, at)),
          String(record.value[at]),
        ]),
      })}
      controls={
        <>
          <ParametersPick name="slice.parameters" />
          <ObjectivePick name="slice.objective" />
          <UrlSwitch name="slice.logy" label="log" />
          {dragging.controls}
        </>
      }
    >
      {(record) => (
        <>
          <SimpleGrid cols={record.parameters.length === 1 ? 1 : { base: 1, sm: 2, lg: 3 }} spacing="xs">
            {record.parameters.map((one) => (
              <Slice key={one.axis.name} record={record} slice={one} logY={logY} drag={dragging.drag} />
            ))}
          </SimpleGrid>
          <ColourBar
            colours={colours}
            low={Math.min(...record.number)}
            high={Math.max(...record.number)}
            label="trial"
          />
        </>
      )}
    </PlotCard>
  );
}

function said(slice: ParameterSlice, at: number): string | number | null {
  const value = slice.x[at];
  if (value === null || value === undefined) return null;
  return slice.axis.kind === "category"
    ? (slice.axis.categories?.[fromWire(value)] ?? null)
    : fromWire(value);
}

/** A list as an option of a view: JSON where a name holds a comma. */
export function asList(names: readonly string[]): string {
  return names.some((name) => /[,[\]"]|^\s|\s$/.test(name)) ? JSON.stringify(names) : names.join(",");
}

function Slice(props: { record: Slices; slice: ParameterSlice; logY: boolean; drag: Drag }) {
  const { record, slice, logY, drag } = props;
  const { chosen, selection, select, open, objectives, valueOf } = useWatching();
  const scheme = useComputedColorScheme("light");
  const colours = usePalette();
  const option = useMemo(
    () => drawn(record, slice, logY, chosen, colours, sequence(scheme)),
    [record, slice, logY, chosen, colours, scheme],
  );
  const places = useMemo(() => placesOfPoints(option.series as Option[]), [option]);
  const x = parameterColumn(slice.axis.name);
  const y = valueColumn(record.metric, objectives);
  const value = valueOf(slice.axis.name);
  const part = selection.parts.get(y);
  return (
    <Chart
      option={option}
      label={`${record.metric} over ${slice.axis.name}`}
      summary={`${slice.x.filter((one) => one !== null).length} trials have ${slice.axis.name}.${best(record, slice)}`}
      height={230}
      drag={drag}
      area={{
        x: partSpan(slice.axis, selection.parts.get(x), value),
        y: isRange(part) && part.low !== null && part.high !== null ? [part.low, part.high] : null,
      }}
      onArea={(area) =>
        select({
          [x]: brushedPart(slice.axis, area.x, value),
          [y]: area.y && { low: area.y[0], high: area.y[1] },
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

function best(record: Slices, slice: ParameterSlice): string {
  const sign = record.goal === "maximize" ? -1 : 1;
  const target = typeof record.goal === "number" ? record.goal : null;
  const loss = (value: number) => (target === null ? sign * value : Math.abs(value - target));
  let at = -1;
  record.value.forEach((value, index) => {
    if (slice.x[index] === null) return;
    if (at < 0 || loss(fromWire(value)) < loss(fromWire(record.value[at]))) at = index;
  });
  return at < 0 ? "" : ` The best, ${sixDigits(fromWire(record.value[at]))}, is at ${said(slice, at) ?? ""}.`;
}

function drawn(
  record: Slices,
  slice: ParameterSlice,
  logY: boolean,
  chosen: Chosen,
  colours: Palette,
  ages: readonly string[],
): Option {
  const of = slice.axis;
  const x = slice.x.map((value, at) =>
    value === null ? Number.NaN : placed(of, fromWire(value), record.number[at] ?? 0),
  );
  const newest = record.number.reduce((most, trial) => Math.max(most, trial), 0);
  const looks = new Map<string, Look>(
    Array.from({ length: AGES }, (_, age) => [
      `${age}`,
      { color: blended(ages, age / (AGES - 1)), size: record.number.length > 800 ? 4 : 6 },
    ]),
  );
  const group = record.number.map(
    (trial) => `${Math.min(AGES - 1, Math.floor((AGES * trial) / (newest + 1)))}`,
  );
  const marks = { number: record.number, x, y: record.value.map(fromWire), group };
  return {
    grid: { left: 54, right: 12, top: 10, bottom: 42 },
    tooltip: {
      formatter: ({ value }: { value: number[] }) => {
        const [at = 0, y = 0, trial = 0] = value;
        const place = of.kind === "category" ? at : valueAt(of, at);
        return [
          `Trial ${trial}`,
          parameterWords(of, place, sixDigits),
          `${plain(record.metric, 40)}: ${sixDigits(y)}`,
        ].join("\n");
      },
    },
    xAxis: parameterScale(colours, of, { nameGap: 26 }),
    yAxis: axis(colours, {
      type: logY ? "log" : "value",
      axisLabel: { color: colours.faint, hideOverlap: true, formatter: axisNumber },
    }),
    series: [
      ...scattered({ marks, looks, chosen, colours, logX: isLog(of), logY }),
      {
        id: "median",
        type: "line",
        data: medians(slice, logY),
        symbol: "none",
        silent: true,
        z: 6,
        lineStyle: { color: colours.accent, width: 2 },
        tooltip: { show: false },
      },
    ],
    ...selecting(colours),
  };
}

// Through the middle of each stretch that holds enough trials for a median to mean something.
function medians(slice: ParameterSlice, logY: boolean): [number, number][] {
  if (slice.axis.kind === "category") return [];
  return slice.bins.flatMap((bin): [number, number][] => {
    if (bin.median === null || bin.count < 5 || (logY && bin.median <= 0)) return [];
    const middle = isLog(slice.axis) ? Math.sqrt(bin.low * bin.high) : (bin.low + bin.high) / 2;
    return [[placed(slice.axis, middle, 0), bin.median]];
  });
}
