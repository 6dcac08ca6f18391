import { useMemo } from "react";
import type { components } from "../api/schema.ts";
import { useUrlChoice, useUrlFlag, useUrlState } from "../shared/urlstate.ts";
import { isRange } from "./brushing.ts";
import { PlotCard } from "./card.tsx";
import { axis, Chart, selecting, usePalette, zooming, type Drag, type Option } from "./chart.tsx";
import { valueColumn } from "./columns.ts";
import { Choose, UrlSwitch, useDragging } from "./controls.tsx";
import { fromWire, plain, showing, type Area } from "./marks.ts";
import { axisNumber, axisSeconds, seconds, sixDigits } from "./numbers.ts";
import { ObjectivePick } from "./objectivepick.tsx";
import type { Palette } from "./palette.ts";
import { stairs } from "./fronts.ts";
import { placesOfPoints, scattered, trialOfPoint } from "./scatter.ts";
import { useWatching } from "./watching.tsx";

type History = components["schemas"]["History"];

const OVER = [
  { value: "trial", label: "Trials" },
  { value: "time", label: "Time" },
  { value: "cost", label: "Cost" },
] as const;
const AXES: Record<string, string> = {
  trial: "trial",
  time: "time with a runner attached",
  wall: "time since the study was created",
  cost: "cost",
};

/** Every trial's value, and the best so far. */
export function HistoryPlot() {
  const [over, setOver] = useUrlChoice("history.over", ["trial", "time", "cost"], "trial");
  const [objective] = useUrlState("history.objective");
  const [logY] = useUrlFlag("history.logy");
  const dragging = useDragging("history");
  return (
    <PlotCard<History>
      name="history"
      title="Best value so far"
      options={{ over, objective }}
      height={320}
      note={(record) =>
        [showing(record.shown, record.of), unplaced(record, logY)].filter(Boolean).join(" · ")
      }
      empty={(record) => {
        if (record.metric === null) return "This study has no objective: nothing is minimised or maximised.";
        return record.of === 0 ? "No trial has a value yet. The first mark appears when a trial ends." : "";
      }}
      table={(record) => ({
        columns: ["trial", "state", AXES[record.over] ?? "x", record.metric ?? "value", "best so far"],
        rows: rows(record),
      })}
      controls={
        <>
          <Choose label="Over" value={over} choices={OVER} onChange={setOver} />
          <ObjectivePick name="history.objective" />
          <UrlSwitch name="history.logy" label="log" />
          {dragging.controls}
        </>
      }
    >
      {(record) => (
        <Drawn
          record={record}
          logY={logY}
          drag={dragging.drag}
          zoom={dragging.zoom}
          onZoom={dragging.onZoom}
        />
      )}
    </PlotCard>
  );
}

type DrawnProps = { record: History; logY: boolean; drag: Drag; zoom: Area; onZoom: (area: Area) => void };

function Drawn({ record, logY, drag, zoom, onZoom }: DrawnProps) {
  const { chosen, selection, select, open } = useWatching();
  const colours = usePalette();
  const option = useMemo(
    () => drawn(record, logY, drag, chosen, colours),
    [record, logY, drag, chosen, colours],
  );
  const places = useMemo(() => placesOfPoints(option.series as Option[]), [option]);
  const y = valueColumn(record.metric ?? "", record.objectives);
  const part = (column: string) => {
    const found = selection.parts.get(column);
    return isRange(found) && found.low !== null && found.high !== null
      ? ([found.low, found.high] as [number, number])
      : null;
  };
  const area: Area = { x: record.over === "trial" ? part("number") : null, y: part(y) };
  return (
    <Chart
      option={option}
      label={`Best value of ${record.metric ?? ""} so far`}
      summary={summary(record)}
      height={320}
      drag={drag}
      zoom={zoom}
      onZoom={onZoom}
      area={area}
      onArea={(found) =>
        select({
          ...(record.over === "trial" && {
            number: found.x && { low: Math.ceil(found.x[0]), high: Math.floor(found.x[1]) },
          }),
          [y]: found.y && { low: found.y[0], high: found.y[1] },
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

function drawn(
  record: History,
  logY: boolean,
  drag: Drag,
  chosen: ((trial: number) => boolean) | null,
  colours: Palette,
): Option {
  const timed = record.over === "time" || record.over === "wall";
  const best = bestLine(record, logY);
  const looks = new Map(
    (["failed", "pruned", "paused", "running", "complete"] as const).map((state) => [
      state,
      { color: colours.states[state] ?? "", symbol: SYMBOLS[state] },
    ]),
  );
  const marks = {
    number: record.number,
    x: record.x.map(fromWire),
    y: record.value.map(fromWire),
    group: record.state,
  };
  const words = (trial: number, x: number, y: number) =>
    [
      `Trial ${trial} · ${record.state[record.number.indexOf(trial)] ?? ""}`,
      `${plain(record.metric ?? "value", 50)}: ${sixDigits(y)}`,
      record.over === "trial" ? "" : `${record.over}: ${timed ? seconds(x) : sixDigits(x)}`,
    ]
      .filter(Boolean)
      .join("\n");
  return {
    grid: { left: 58, right: 18, top: 12, bottom: 42 },
    tooltip: {
      formatter: (met: { value: number[] }) => words(met.value[2] ?? 0, met.value[0] ?? 0, met.value[1] ?? 0),
    },
    xAxis: axis(colours, {
      type: "value",
      name: AXES[record.over],
      nameGap: 26,
      minInterval: record.over === "trial" ? 1 : undefined,
      splitLine: { show: false },
      axisLabel: { color: colours.faint, hideOverlap: true, formatter: timed ? axisSeconds : axisNumber },
    }),
    yAxis: axis(colours, {
      type: logY ? "log" : "value",
      name: plain(record.metric ?? "", 40),
      nameGap: 44,
      axisLabel: { color: colours.faint, hideOverlap: true, formatter: axisNumber },
    }),
    series: [
      ...scattered({ marks, looks, chosen, colours, logY }),
      {
        id: "best",
        type: "line",
        data: best,
        symbol: "none",
        silent: true,
        z: 5,
        lineStyle: { color: colours.ink, width: 2 },
        tooltip: { show: false },
        markLine: target(record, colours),
      },
    ],
    ...zooming(drag),
    ...selecting(colours),
  };
}

const SYMBOLS: Record<string, string> = { pruned: "triangle", failed: "diamond", complete: "circle" };

function bestLine(record: History, logY: boolean): [number, number][] {
  const points = record.best_x.map((x, at): [number, number] => [
    fromWire(x),
    fromWire(record.best_value[at]),
  ]);
  return stairs(points, fromWire(record.end)).filter(([, y]) => !logY || y > 0);
}

function target(record: History, colours: Palette): Option | undefined {
  if (record.target === null) return undefined;
  return {
    silent: true,
    symbol: "none",
    lineStyle: { color: colours.accent, type: "dashed" },
    label: { formatter: "target", color: colours.faint, position: "insideEndTop" },
    data: [{ yAxis: fromWire(record.target) }],
  };
}

function unplaced(record: History, logY: boolean): string {
  const values = record.value.map(fromWire);
  const odd = values.filter((value) => !Number.isFinite(value)).length;
  const below = logY ? values.filter((value) => value <= 0).length : 0;
  const parts = [odd ? `${odd} not finite` : "", below ? `${below} not above 0` : ""].filter(Boolean);
  return parts.length ? `not drawn: ${parts.join(", ")}` : "";
}

function summary(record: History): string {
  const last = record.best_value.length - 1;
  if (last < 0) return `${record.of} trials have a value; none of them can be best.`;
  const [first, best] = [fromWire(record.best_value[0]), fromWire(record.best_value[last])];
  return (
    `${record.of} trials have a value. The best ${record.metric} went from ${sixDigits(first)} to ${sixDigits(best)} ` +
    `in ${record.best_value.length} steps; trial ${record.best_number[last]} holds it.`
  );
}

function rows(record: History): (string | number | null)[][] {
  const best = new Map(record.best_number.map((trial, at) => [trial, String(record.best_value[at])]));
  return record.number.map((trial, at) => [
    trial,
    record.state[at] ?? "",
    String(record.x[at]),
    String(record.value[at]),
    best.get(trial) ?? "",
  ]);
}
