import { useMemo } from "react";
import type { components } from "../api/schema.ts";
import { useUrlFlag, useUrlState } from "../shared/urlstate.ts";
import { isRange } from "./brushing.ts";
import { PlotCard } from "./card.tsx";
import { axis, Chart, selecting, usePalette, type Drag, type Option } from "./chart.tsx";
import { valueColumn } from "./columns.ts";
import { UrlSwitch, useDragging } from "./controls.tsx";
import { fromWire, plain, showing } from "./marks.ts";
import { axisNumber, sixDigits } from "./numbers.ts";
import { ObjectivePick } from "./objectivepick.tsx";
import type { Palette } from "./palette.ts";
import { useWatching } from "./watching.tsx";

type Edf = components["schemas"]["Edf"];

/** Which share of the trials came to at most a value. */
export function EdfPlot() {
  const [objective] = useUrlState("edf.objective");
  const [logX] = useUrlFlag("edf.logx");
  const dragging = useDragging("edf", ["select"]);
  return (
    <PlotCard<Edf>
      name="edf"
      title="Distribution of results"
      about="How many of the complete trials came to at most this value."
      options={{ objective }}
      empty={(record) => {
        if (record.metric === null) return "This study has no objective.";
        return record.finite === 0 ? "No complete trial has a finite value yet." : "";
      }}
      note={(record) =>
        [
          showing(record.shown, record.of, "steps"),
          record.finite < record.trials
            ? `${record.trials - record.finite} of ${record.trials} trials not finite`
            : "",
        ]
          .filter(Boolean)
          .join(" · ")
      }
      table={(record) => ({
        columns: [record.metric ?? "value", "share of trials"],
        rows: record.x.map((x, at) => [String(x), String(record.y[at])]),
      })}
      controls={
        <>
          <ObjectivePick name="edf.objective" />
          <UrlSwitch name="edf.logx" label="log" />
          {dragging.controls}
        </>
      }
    >
      {(record) => <Drawn record={record} logX={logX} drag={dragging.drag} />}
    </PlotCard>
  );
}

function Drawn({ record, logX, drag }: { record: Edf; logX: boolean; drag: Drag }) {
  const colours = usePalette();
  const { selection, select, objectives } = useWatching();
  const option = useMemo(() => drawn(record, logX, colours), [record, logX, colours]);
  const column = valueColumn(record.metric ?? "", objectives);
  const part = selection.parts.get(column);
  const middle = record.y.findIndex((y) => y >= 0.5);
  return (
    <Chart
      option={option}
      label={`Distribution of ${record.metric ?? ""}`}
      summary={
        middle < 0
          ? ""
          : `Half of ${record.trials} trials came to at most ${sixDigits(fromWire(record.x[middle]))}.`
      }
      drag={drag}
      area={{
        x: isRange(part) && part.low !== null && part.high !== null ? [part.low, part.high] : null,
        y: null,
      }}
      onArea={({ x }) => select({ [column]: x && { low: x[0], high: x[1] } })}
    />
  );
}

function drawn(record: Edf, logX: boolean, colours: Palette): Option {
  const points = record.x
    .map((x, at) => [fromWire(x), record.y[at] ?? 0])
    .filter(([x]) => !logX || (x ?? 0) > 0);
  const [first] = points;
  return {
    grid: { left: 54, right: 18, top: 12, bottom: 42 },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "line", lineStyle: { color: colours.faint } },
      formatter: (met: { value: number[] }[]) => {
        const [x = 0, y = 0] = met[0]?.value ?? [];
        return `${(100 * y).toFixed(1)} % at most ${sixDigits(x)}`;
      },
    },
    xAxis: axis(colours, {
      type: logX ? "log" : "value",
      name: plain(record.metric ?? "", 60),
      nameGap: 26,
      axisLabel: { color: colours.faint, hideOverlap: true, formatter: axisNumber },
    }),
    yAxis: axis(colours, {
      type: "value",
      min: 0,
      max: 1,
      axisLabel: { color: colours.faint, formatter: (value: number) => `${Math.round(value * 100)} %` },
    }),
    series: [
      {
        id: "edf",
        type: "line",
        step: "end",
        data: first === undefined ? [] : [[first[0], 0], ...points],
        symbol: "none",
        lineStyle: { color: colours.series[0], width: 2 },
        areaStyle: { color: colours.series[0], opacity: 0.08 },
      },
    ],
    ...selecting(colours, "lineX"),
  };
}
