import { useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";
import type { components } from "../api/schema.ts";
import { useUrlChoice, useUrlFlag, useUrlState } from "../shared/urlstate.ts";
import { PlotCard } from "./card.tsx";
import { axis, Chart, usePalette, zooming, type Drag, type Option } from "./chart.tsx";
import { Choose, Pick, UrlSwitch, useDragging } from "./controls.tsx";
import { extent, placedCurve, type Point } from "./curvelines.ts";
import { fromWire, plain, showing, type Area, type Met } from "./marks.ts";
import { axisNumber, axisSeconds, seconds, sixDigits } from "./numbers.ts";
import { blended, shares, towardsBest, type Palette } from "./palette.ts";
import { useWatching } from "./watching.tsx";

type Curves = components["schemas"]["Curves"];
type CurveLine = components["schemas"]["CurveLine"];
type Drawn = { line: CurveLine; points: Point[] };
type Api = { value: (at: number) => number; coord: (point: Point) => Point };

const TOPS = ["10", "20", "50", "100", "500"] as const;
const FIRST = [
  { value: "best", label: "Best" },
  { value: "running", label: "Running" },
  { value: "newest", label: "Newest" },
] as const;
const OVER = [
  { value: "step", label: "Steps" },
  { value: "time", label: "Time" },
] as const;

/** What trials reported on their way. */
export function CurvesPlot({ height = 440 }: { height?: number }) {
  const [metric, setMetric] = useUrlState("curves.metric");
  const [top, setTop] = useUrlChoice("curves.top", TOPS, "20");
  const [first, setFirst] = useUrlChoice("curves.first", ["best", "running", "newest"], "best");
  const [x, setX] = useUrlChoice("curves.x", ["step", "time"], "step");
  const [logX] = useUrlFlag("curves.logx");
  const [logY] = useUrlFlag("curves.logy");
  const { metrics } = useWatching();
  const dragging = useDragging("curves", ["zoom", "move"]);
  return (
    <PlotCard<Curves>
      name="curves"
      title="Learning curves"
      options={{ metric, top: Number(top), first, x }}
      height={height}
      empty={(record) =>
        record.of === 0 ? "No trial has reported anything yet. Curves grow with the reports." : ""
      }
      note={(record) =>
        [showing(record.shown, record.of, "curves"), showing(record.marks, record.points, "points")]
          .filter(Boolean)
          .join(" · ")
      }
      table={(record) => ({
        columns: [
          "trial",
          "state",
          record.x === "time" ? "seconds" : record.resource,
          record.metric ?? "value",
        ],
        rows: record.curves.flatMap((line) =>
          line.x.map((at, index) => [line.number, line.state, String(at), String(line.y[index])]),
        ),
      })}
      controls={
        <>
          <Choose label="Which curves" value={first} choices={FIRST} onChange={setFirst} />
          <Pick
            label="How many curves"
            value={top}
            choices={TOPS.map((value) => ({ value, label: `${value} curves` }))}
            onChange={(value) => setTop(value as (typeof TOPS)[number])}
          />
          {metrics.length > 1 && (
            <Pick
              label="Metric"
              value={metric || (metrics[0] ?? "")}
              choices={metrics.map((value) => ({ value, label: plain(value, 40) }))}
              onChange={(value) => setMetric(value === metrics[0] ? "" : value)}
            />
          )}
          <Choose label="Over" value={x} choices={OVER} onChange={setX} />
          <UrlSwitch name="curves.logx" label="log x" />
          <UrlSwitch name="curves.logy" label="log y" />
          {dragging.controls}
        </>
      }
    >
      {(record) => (
        <Drawing
          record={record}
          logX={logX}
          logY={logY}
          height={height}
          drag={dragging.drag}
          zoom={dragging.zoom}
          onZoom={dragging.onZoom}
        />
      )}
    </PlotCard>
  );
}

type DrawingProps = {
  record: Curves;
  logX: boolean;
  logY: boolean;
  height: number;
  drag: Drag;
  zoom: Area;
  onZoom: (area: Area) => void;
};

function Drawing({ record, logX, logY, height, drag, zoom, onZoom }: DrawingProps) {
  const { chosen, open } = useWatching();
  const colours = usePalette();
  const ramp = towardsBest(useComputedColorScheme("light"), record.goal);
  // The best are drawn last, on top.
  const drawn = useMemo(
    () =>
      [...record.curves].reverse().map((line) => ({ line, points: placedCurve(line.x, line.y, logX, logY) })),
    [record, logX, logY],
  );
  const option = useMemo(
    () => made(record, drawn, logX, logY, drag, chosen, colours, ramp),
    [record, drawn, logX, logY, drag, chosen, colours, ramp],
  );
  const trialOf = (met: Met) =>
    met.seriesId === "curves" ? (drawn[met.dataIndex]?.line.number ?? null) : null;
  return (
    <Chart
      option={option}
      label={`Learning curves of ${record.metric ?? ""}`}
      summary={`${record.shown} of ${record.of} trials that have reported ${record.metric ?? "anything"}, by ${record.x === "time" ? "time" : record.resource}. ${record.curves.filter((line) => line.state === "pruned").length} of them were stopped early.`}
      height={height}
      drag={drag}
      zoom={zoom}
      onZoom={onZoom}
      trialOf={trialOf}
      placesOf={(trial) =>
        drawn.flatMap((one, dataIndex) => (one.line.number === trial ? [{ seriesIndex: 0, dataIndex }] : []))
      }
      onOpen={(met) => {
        const trial = trialOf(met);
        if (trial !== null) open(trial);
      }}
    />
  );
}

function made(
  record: Curves,
  drawn: readonly Drawn[],
  logX: boolean,
  logY: boolean,
  drag: Drag,
  chosen: ((trial: number) => boolean) | null,
  colours: Palette,
  ramp: readonly string[],
): Option {
  const [minX, maxX] = extent(drawn.map((one) => one.points.map((point) => point[0])));
  const [minY, maxY] = extent(drawn.map((one) => one.points.map((point) => point[1])));
  const order = shares(drawn.map((_, at) => at));
  const colourOf = (at: number) => blended(ramp, record.goal === "maximize" ? order(at) : 1 - order(at));
  const timed = record.x === "time";
  return {
    grid: { left: 62, right: 18, top: 14, bottom: 42 },
    tooltip: {
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const line = drawn[dataIndex]?.line;
        if (line === undefined) return "";
        const last = line.y.at(-1);
        const at = fromWire(line.x.at(-1));
        return [
          `Trial ${line.number} · ${line.state}`,
          `${plain(record.metric ?? "", 50)}: ${sixDigits(fromWire(last))} at ${timed ? seconds(at) : `${record.resource} ${sixDigits(at)}`}`,
          line.why ? plain(line.why, 110) : "",
        ]
          .filter(Boolean)
          .join("\n");
      },
    },
    xAxis: axis(colours, {
      type: logX ? "log" : "value",
      name: timed ? "time since the trial began" : plain(record.resource, 40),
      nameGap: 26,
      splitLine: { show: false },
      axisLabel: { color: colours.faint, hideOverlap: true, formatter: timed ? axisSeconds : axisNumber },
    }),
    yAxis: axis(colours, {
      type: logY ? "log" : "value",
      name: plain(record.metric ?? "", 50),
      nameGap: 48,
      axisLabel: { color: colours.faint, hideOverlap: true, formatter: axisNumber },
    }),
    series: [
      {
        id: "curves",
        type: "custom",
        zlevel: 0,
        data: drawn.map((one, at) => [...(one.points[0] ?? [0, 0]), at]),
        encode: { x: 0, y: 1 },
        clip: true,
        progressive: 0,
        z: 3,
        renderItem: ({ dataIndex }: { dataIndex: number }, api: Api) => {
          const one = drawn[dataIndex];
          if (one === undefined || one.points.length === 0) return { type: "group", children: [] };
          const inside = chosen === null || chosen(one.line.number);
          const path = one.points.map((point) => api.coord(point));
          return curve(one.line, path, inside ? colourOf(dataIndex) : colours.dimmed, inside, colours);
        },
      },
      {
        // Draws nothing: the axes reach as far as it does, and end at round numbers.
        id: "rungs",
        type: "line",
        data: [
          [minX, minY],
          [maxX, maxY],
        ],
        symbol: "none",
        lineStyle: { opacity: 0 },
        tooltip: { show: false },
        silent: true,
        markLine: {
          silent: true,
          symbol: "none",
          label: { show: false },
          lineStyle: { color: colours.faint, type: "dotted", opacity: 0.6 },
          data: record.rungs.filter((rung) => !logX || rung > 0).map((rung) => ({ xAxis: rung })),
        },
      },
    ],
    ...zooming(drag),
    ...(drag === "zoom" ? zoomBrush() : {}),
  };
}

function zoomBrush(): Option {
  return { brush: { xAxisIndex: 0, yAxisIndex: 0, outOfBrush: { opacity: 1 } } };
}

// The way, and a mark where it ended: a cross where it was stopped or failed, a dot where it goes on.
function curve(line: CurveLine, path: Point[], stroke: string, inside: boolean, colours: Palette): Option {
  const [x, y] = path.at(-1) ?? [0, 0];
  const state = inside ? (colours.states[line.state] ?? stroke) : colours.dimmed;
  const children: Option[] = [
    {
      type: "polyline",
      shape: { points: path },
      style: { stroke, fill: "none", lineWidth: 1.6 },
      emphasis: { style: { lineWidth: 3.5, stroke: colours.accent } },
    },
  ];
  if (line.state === "pruned" || line.state === "failed") {
    const style = { stroke: state, lineWidth: 2 };
    children.push(
      { type: "line", shape: { x1: x - 4, y1: y - 4, x2: x + 4, y2: y + 4 }, style },
      { type: "line", shape: { x1: x - 4, y1: y + 4, x2: x + 4, y2: y - 4 }, style },
    );
  } else if (path.length === 1 || line.state === "running") {
    children.push({ type: "circle", shape: { cx: x, cy: y, r: 3.5 }, style: { fill: state } });
  }
  return { type: "group", children };
}
