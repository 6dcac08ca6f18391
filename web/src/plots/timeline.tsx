import { useMemo } from "react";
import type { components } from "../api/schema.ts";
import { PlotCard } from "./card.tsx";
import { axis, Chart, usePalette, zooming, type Drag, type Option } from "./chart.tsx";
import { useDragging } from "./controls.tsx";
import { plain, showing, type Area, type Met } from "./marks.ts";
import { axisSeconds, seconds } from "./numbers.ts";
import type { Palette } from "./palette.ts";
import { useWatching } from "./watching.tsx";

type Timeline = components["schemas"]["Timeline"];
type Api = {
  value: (at: number) => number;
  coord: (point: [number, number]) => [number, number];
  size: (point: [number, number]) => [number, number];
};

const LANE_PX = 20;

/** Who worked when. */
export function TimelinePlot() {
  const dragging = useDragging("timeline", ["zoom", "move"]);
  return (
    <PlotCard<Timeline>
      name="timeline"
      title="Timeline of workers"
      about="One bar an attempt, in the lane of the worker that ran it; grey: no runner was attached."
      height={320}
      empty={(record) => (record.of === 0 ? "Nothing has run yet." : "")}
      note={(record) =>
        [
          record.utilisation === null
            ? ""
            : `workers were busy ${Math.round(100 * record.utilisation)} % of the time`,
          showing(record.shown, record.of, "attempts (the longest)"),
        ]
          .filter(Boolean)
          .join(" · ")
      }
      table={(record) => ({
        columns: ["trial", "attempt", "host", "lane", "start, s", "end, s", "outcome", "how it ended"],
        rows: record.number.map((trial, at) => {
          const lane = record.lanes[record.lane[at] ?? 0];
          return [
            trial,
            record.attempt[at] ?? 0,
            lane?.host ?? "",
            lane?.place ?? "",
            record.start[at] ?? "",
            record.end[at] ?? "",
            record.outcome[at] ?? "",
            record.how[at] ?? "",
          ];
        }),
      })}
      controls={dragging.controls}
    >
      {(record) => (
        <Drawn record={record} drag={dragging.drag} zoom={dragging.zoom} onZoom={dragging.onZoom} />
      )}
    </PlotCard>
  );
}

type DrawnProps = { record: Timeline; drag: Drag; zoom: Area; onZoom: (area: Area) => void };

function Drawn({ record, drag, zoom, onZoom }: DrawnProps) {
  const { chosen, open } = useWatching();
  const colours = usePalette();
  const option = useMemo(() => drawn(record, drag, chosen, colours), [record, drag, chosen, colours]);
  const trialOf = (met: Met) => (met.seriesId === "bars" ? (record.number[met.dataIndex] ?? null) : null);
  return (
    <Chart
      option={option}
      label="Timeline of workers"
      summary={`${record.of} attempts in ${record.lanes.length} lanes over ${seconds(record.end_at - record.begin)}.`}
      height={Math.min(560, Math.max(150, 70 + record.lanes.length * LANE_PX))}
      drag={drag}
      zoom={{ x: zoom.x, y: null }}
      onZoom={(area) => onZoom({ x: area.x, y: null })}
      trialOf={trialOf}
      placesOf={(trial) =>
        record.number.flatMap((one, dataIndex) => (one === trial ? [{ seriesIndex: 1, dataIndex }] : []))
      }
      onOpen={(met) => {
        const trial = trialOf(met);
        if (trial !== null) open(trial);
      }}
    />
  );
}

function drawn(
  record: Timeline,
  drag: Drag,
  chosen: ((trial: number) => boolean) | null,
  colours: Palette,
): Option {
  const hosts = new Set(record.lanes.map((lane) => lane.host));
  const names = record.lanes.map((lane) =>
    hosts.size > 1 ? `${plain(lane.host, 20)} ${lane.place + 1}` : `${lane.place + 1}`,
  );
  const until = Math.max(record.end_at, record.begin + 1e-3);
  return {
    grid: { left: hosts.size > 1 ? 120 : 52, right: 18, top: 8, bottom: 42 },
    tooltip: {
      formatter: (met: { seriesId: string; dataIndex: number }) => {
        if (met.seriesId !== "bars") return "";
        const at = met.dataIndex;
        const [from, to] = [record.start[at] ?? 0, record.end[at] ?? record.now];
        return [
          `Trial ${record.number[at]}, attempt ${record.attempt[at]}`,
          `${record.outcome[at]}${record.how[at] ? ` · ${plain(record.how[at], 60)}` : ""}`,
          `from ${seconds(from)}, for ${seconds(to - from)}${record.end[at] === null ? " so far" : ""}`,
        ].join("\n");
      },
    },
    xAxis: axis(colours, {
      type: "value",
      scale: false,
      min: record.begin,
      max: until,
      name: "time since the study was created",
      nameGap: 26,
      axisLabel: { color: colours.faint, hideOverlap: true, showMaxLabel: false, formatter: axisSeconds },
    }),
    yAxis: axis(colours, {
      type: "category",
      inverse: true,
      data: names,
      name: hosts.size > 1 ? "" : "worker",
      nameGap: 34,
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: { color: colours.faint, hideOverlap: true, width: 100, overflow: "truncate" },
    }),
    series: [
      {
        id: "gaps",
        type: "custom",
        zlevel: 0,
        silent: true,
        z: 1,
        clip: true,
        data: record.gaps.map((gap) => [gap.begin, gap.end ?? until]),
        encode: { x: [0, 1], y: -1 },
        renderItem: (params: { coordSys: { y: number; height: number } }, api: Api) => {
          const [from] = api.coord([api.value(0), 0]);
          const [to] = api.coord([api.value(1), 0]);
          const { y, height } = params.coordSys;
          return {
            type: "rect",
            shape: { x: from, y, width: to - from, height },
            style: { fill: colours.dimmed },
          };
        },
      },
      {
        id: "bars",
        type: "custom",
        zlevel: 0,
        z: 2,
        clip: true,
        progressive: 0,
        cursor: "pointer",
        data: record.number.map((_, at) => [
          record.start[at] ?? 0,
          record.end[at] ?? record.now,
          record.lane[at] ?? 0,
        ]),
        encode: { x: [0, 1], y: 2 },
        renderItem: ({ dataIndex }: { dataIndex: number }, api: Api) => {
          const [from, y] = api.coord([api.value(0), api.value(2)]);
          const [to] = api.coord([api.value(1), api.value(2)]);
          const height = Math.max(2, Math.min(16, api.size([0, 1])[1] * 0.72));
          const outcome = record.outcome[dataIndex] ?? "running";
          const inside = chosen === null || chosen(record.number[dataIndex] ?? 0);
          const fill = inside ? (colours.states[outcome] ?? colours.faint) : colours.dimmed;
          const width = Math.max(1, to - from - (to - from > 4 ? 1 : 0));
          return {
            type: "rect",
            shape: { x: from, y: y - height / 2, width, height, r: width > 4 ? 2 : 0 },
            style: { fill },
            emphasis: { style: { stroke: colours.ink, lineWidth: 1.5 } },
          };
        },
      },
    ],
    ...zooming(drag, "x"),
    ...(drag === "zoom" ? { brushType: "lineX", brush: { xAxisIndex: 0, outOfBrush: { opacity: 1 } } } : {}),
  };
}
