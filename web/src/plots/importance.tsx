import { useMemo } from "react";
import type { components } from "../api/schema.ts";
import { useUrlChoice, useUrlState } from "../shared/urlstate.ts";
import { PlotCard } from "./card.tsx";
import { axis, Chart, usePalette, type Option } from "./chart.tsx";
import { Choose } from "./controls.tsx";
import { fromWire, plain, type Met } from "./marks.ts";
import { ObjectivePick } from "./objectivepick.tsx";
import type { Palette } from "./palette.ts";
import { useWatching } from "./watching.tsx";

type Importance = components["schemas"]["Importance"];
type Bar = { name: string; importance: number; low: number; high: number; words: string };

const METHODS = [
  { value: "fanova", label: "Overall" },
  { value: "local", label: "Near the best" },
] as const;
const MOST_BARS = 15;

/** How much each parameter explains of the objective, with its interval; a bar leads to the parameter's slice. */
export function ImportancePlot({ height = 320 }: { height?: number }) {
  const [method, setMethod] = useUrlChoice("importance.method", ["fanova", "local"], "fanova");
  const [objective] = useUrlState("importance.objective");
  return (
    <PlotCard<Importance>
      name="importance"
      title="Importance of parameters"
      judges
      options={{ method, objective }}
      height={height}
      empty={(record) =>
        record.parameters.length === 0 ? record.note || "Nothing can be said of the parameters yet." : ""
      }
      note={note}
      table={(record) => ({
        columns: ["parameter", "importance", "low", "high", "correlation"],
        rows: bars(record).map((bar, at) => [
          bar.name,
          bar.importance,
          bar.low,
          bar.high,
          record.parameters[at]?.correlation ?? null,
        ]),
      })}
      controls={
        <>
          <Choose label="Importance" value={method} choices={METHODS} onChange={setMethod} />
          <ObjectivePick name="importance.objective" />
        </>
      }
    >
      {(record) => <Drawn record={record} height={height} />}
    </PlotCard>
  );
}

function Drawn({ record, height }: { record: Importance; height: number }) {
  const colours = usePalette();
  const { look } = useWatching();
  const shown = useMemo(() => bars(record).slice(0, MOST_BARS), [record]);
  const option = useMemo(() => drawn(shown, colours), [shown, colours]);
  const [first, second] = record.parameters;
  return (
    <Chart
      option={option}
      label="Importance of parameters"
      summary={
        first === undefined
          ? record.note
          : `${first.name} explains ${percent(first.importance)}${second ? `, ${second.name} ${percent(second.importance)}` : ""} of ${record.metric}.`
      }
      height={height}
      onOpen={(met: Met) => {
        const bar = shown[met.dataIndex];
        if (bar !== undefined && record.parameters.some((one) => one.name === bar.name)) look(bar.name);
      }}
    />
  );
}

function bars(record: Importance): Bar[] {
  return record.parameters.map((one) => ({
    name: one.name,
    importance: fromWire(one.importance),
    low: fromWire(one.low),
    high: fromWire(one.high),
    words: direction(one.correlation),
  }));
}

function direction(correlation: number | string | null | undefined): string {
  if (correlation === null || correlation === undefined) return "";
  const value = fromWire(correlation);
  if (Math.abs(value) < 0.15) return "";
  return `${value > 0 ? "larger values go with larger results" : "larger values go with smaller results"} (rank correlation ${value.toFixed(2)})`;
}

function percent(share: number | string): string {
  return `${(100 * fromWire(share)).toFixed(0)} %`;
}

function drawn(shown: readonly Bar[], colours: Palette): Option {
  const names = shown.map((bar) => bar.name);
  return {
    grid: { left: 8, right: 24, top: 6, bottom: 36, containLabel: true },
    tooltip: {
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const bar = shown[dataIndex];
        if (bar === undefined) return "";
        const interval = `${percent(bar.importance)} (${percent(bar.low)} to ${percent(bar.high)}, 95 % interval)`;
        return [plain(bar.name), interval, bar.words, "Click: its slice"].filter(Boolean).join("\n");
      },
    },
    xAxis: axis(colours, {
      type: "value",
      min: 0,
      name: "share of the variance",
      nameGap: 24,
      axisLabel: { color: colours.faint, formatter: (value: number) => `${Math.round(value * 100)} %` },
    }),
    yAxis: axis(colours, {
      type: "category",
      inverse: true,
      data: names,
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: { color: colours.ink, width: 120, overflow: "truncate", interval: 0 },
    }),
    series: [
      {
        id: "importance",
        type: "bar",
        data: shown.map((bar) => bar.importance),
        barMaxWidth: 22,
        cursor: "pointer",
        itemStyle: { color: colours.series[0], borderRadius: [0, 2, 2, 0] },
      },
      {
        id: "intervals",
        type: "custom",
        zlevel: 0,
        silent: true,
        z: 4,
        data: shown.map((bar, at) => [bar.low, at, bar.high]),
        encode: { x: [0, 2], y: 1 },
        renderItem: interval(colours),
      },
    ],
  };
}

type Api = { value: (at: number) => number; coord: (point: [number, number]) => [number, number] };

// A thin line from the low to the high end, with a stroke across each end.
function interval(colours: Palette) {
  return (_: unknown, api: Api) => {
    const [from, y] = api.coord([api.value(0), api.value(1)]);
    const [to] = api.coord([api.value(2), api.value(1)]);
    const style = { stroke: colours.ink, lineWidth: 1.5 };
    const line = (x1: number, y1: number, x2: number, y2: number) => ({
      type: "line",
      shape: { x1, y1, x2, y2 },
      style,
    });
    return {
      type: "group",
      children: [line(from, y, to, y), line(from, y - 4, from, y + 4), line(to, y - 4, to, y + 4)],
    };
  };
}

function note(record: Importance): string {
  const parts: string[] = [];
  if (record.explained !== null && record.explained !== undefined && record.parameters.length > 0) {
    const explained = fromWire(record.explained);
    parts.push(
      `predicts ${percent(Math.max(0, explained))} of the variance it has not seen${explained < 0.3 ? ": trust it little" : ""}`,
    );
  }
  if (record.shown < record.of)
    parts.push(`from ${record.shown.toLocaleString("en")} of ${record.of.toLocaleString("en")} trials`);
  if (record.constant.length > 0) parts.push(`constant so far: ${record.constant.slice(0, 5).join(", ")}`);
  if (record.parameters.length > MOST_BARS)
    parts.push(`showing ${MOST_BARS} of ${record.parameters.length} parameters`);
  return parts.join(" · ");
}
