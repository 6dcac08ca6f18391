import { useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";
import type { components } from "../api/schema.ts";
import { useUrlFlag, useUrlState } from "../shared/urlstate.ts";
import { PlotCard } from "./card.tsx";
import { Chart, selecting, usePalette, type Drag, type Option } from "./chart.tsx";
import { ColourBar } from "./colourbar.tsx";
import { parameterColumn } from "./columns.ts";
import { Pick, UrlSwitch, useDragging } from "./controls.tsx";
import { fromWire, plain, showing } from "./marks.ts";
import { sixDigits } from "./numbers.ts";
import { ObjectivePick } from "./objectivepick.tsx";
import { blended, shares, towardsBest, type Palette } from "./palette.ts";
import { brushedPart, isLog, partSpan, placed } from "./parameteraxis.ts";
import { parameterScale, parameterWords } from "./parameterscale.ts";
import { placesOfPoints, scattered, trialOfPoint } from "./scatter.ts";
import { useWatching } from "./watching.tsx";

type Contour = components["schemas"]["Contour"];
type GridAxis = components["schemas"]["GridAxis"];
type Api = { value: (at: number) => number; coord: (point: [number, number]) => [number, number] };

/** The objective over two parameters. */
export function ContourPlot() {
  const { parameters } = useWatching();
  const [x, setX] = useUrlState("contour.x");
  const [y, setY] = useUrlState("contour.y");
  const [objective] = useUrlState("contour.objective");
  const [log] = useUrlFlag("contour.log");
  const dragging = useDragging("contour", ["select"]);
  const named = (label: string) => [
    { value: "", label: `${label}: most important` },
    ...parameters.map((name) => ({ value: name, label: `${label}: ${plain(name, 40)}` })),
  ];
  return (
    <PlotCard<Contour>
      name="contour"
      title="Two parameters together"
      judges
      options={{ x, y, objective }}
      height={420}
      empty={(record) =>
        record.x == null || record.y == null ? record.note || "Two parameters that vary are needed." : ""
      }
      note={(record) =>
        [
          showing(record.shown, record.of),
          record.inactive ? `${record.inactive} without one of the two` : "",
          "colour: fitted to the trials around",
        ]
          .filter(Boolean)
          .join(" · ")
      }
      table={(record) => ({
        columns: ["trial", record.x?.axis.name ?? "x", record.y?.axis.name ?? "y", record.metric],
        rows: record.number.map((trial, at) => [
          trial,
          words(record.x, record.mark_x[at]),
          words(record.y, record.mark_y[at]),
          String(record.value[at]),
        ]),
      })}
      controls={
        <>
          <Pick
            label="Across"
            value={x}
            choices={named("x")}
            onChange={(name) => across(name, x, y, setX, setY)}
          />
          <Pick
            label="Up"
            value={y}
            choices={named("y")}
            onChange={(name) => across(name, y, x, setY, setX)}
          />
          <ObjectivePick name="contour.objective" />
          <UrlSwitch name="contour.log" label="log colour" />
          {dragging.controls}
        </>
      }
    >
      {(record) =>
        record.x != null && record.y != null ? (
          <Drawn record={record} x={record.x} y={record.y} log={log} drag={dragging.drag} />
        ) : null
      }
    </PlotCard>
  );
}

// A parameter cannot be on both sides: whoever asks for it changes the two.
function across(
  name: string,
  mine: string,
  other: string,
  setMine: (name: string) => void,
  setOther: (name: string) => void,
) {
  setMine(name);
  if (name !== "" && name === other) setOther(mine);
}

function words(side: GridAxis | null | undefined, value: number | string | undefined): string | number {
  const at = fromWire(value);
  return side?.axis.kind === "category" ? (side.axis.categories?.[at] ?? "") : at;
}

type DrawnProps = { record: Contour; x: GridAxis; y: GridAxis; log: boolean; drag: Drag };

function Drawn({ record, x, y, log, drag }: DrawnProps) {
  const { chosen, selection, select, open, valueOf } = useWatching();
  const colours = usePalette();
  const ramp = towardsBest(useComputedColorScheme("light"), record.goal);
  const cells = useMemo(
    () => record.grid.flatMap((row) => row.flatMap((value) => (value === null ? [] : [fromWire(value)]))),
    [record],
  );
  const option = useMemo(
    () => drawn(record, x, y, shares(cells, log), chosen, colours, ramp),
    [record, x, y, cells, log, chosen, colours, ramp],
  );
  const places = useMemo(() => placesOfPoints(option.series as Option[]), [option]);
  const [across, up] = [parameterColumn(x.axis.name), parameterColumn(y.axis.name)];
  return (
    <>
      <Chart
        option={option}
        label={`${record.metric} over ${x.axis.name} and ${y.axis.name}`}
        summary={
          record.best == null
            ? `${record.of} trials.`
            : `${record.of} trials. The best fitted value, ${sixDigits(fromWire(record.best.value))}, is near ` +
              `${x.axis.name} ${words(x, record.best.x)} and ${y.axis.name} ${words(y, record.best.y)}.`
        }
        height={420}
        drag={drag}
        area={{
          x: partSpan(x.axis, selection.parts.get(across), valueOf(x.axis.name)),
          y: partSpan(y.axis, selection.parts.get(up), valueOf(y.axis.name)),
        }}
        onArea={(area) =>
          select({
            [across]: brushedPart(x.axis, area.x, valueOf(x.axis.name)),
            [up]: brushedPart(y.axis, area.y, valueOf(y.axis.name)),
          })
        }
        trialOf={trialOfPoint}
        placesOf={places}
        onOpen={(met) => {
          const trial = trialOfPoint(met);
          if (trial !== null && met.seriesId !== "cells") open(trial);
        }}
      />
      {cells.length > 0 && (
        <ColourBar
          colours={ramp}
          low={cells.reduce((least, value) => Math.min(least, value))}
          high={cells.reduce((most, value) => Math.max(most, value))}
          label={plain(record.metric, 40)}
        />
      )}
    </>
  );
}

function drawn(
  record: Contour,
  x: GridAxis,
  y: GridAxis,
  share: (value: number) => number,
  chosen: ((trial: number) => boolean) | null,
  colours: Palette,
  ramp: readonly string[],
): Option {
  const cells = record.grid.flatMap((row, up) =>
    row.flatMap((value, across) => (value === null ? [] : [[across, up, fromWire(value)]])),
  );
  const marks = {
    number: record.number,
    x: record.mark_x.map((value, at) => placed(x.axis, fromWire(value), record.number[at] ?? 0)),
    y: record.mark_y.map((value, at) => placed(y.axis, fromWire(value), (record.number[at] ?? 0) + 7919)),
  };
  const looks = new Map([
    ["trial", { color: colours.ground, border: colours.ink, size: record.number.length > 300 ? 4 : 7 }],
  ]);
  return {
    grid: { left: 62, right: 14, top: 10, bottom: 42 },
    tooltip: {
      formatter: (met: { seriesId: string; value: number[] }) => {
        const [a = 0, b = 0, c = 0] = met.value;
        if (met.seriesId === "cells") {
          const [px, py] = [fromWire(x.centres[a]), fromWire(y.centres[b])];
          const count = record.count[b]?.[a] ?? 0;
          return [
            parameterWords(x.axis, px, sixDigits),
            parameterWords(y.axis, py, sixDigits),
            `${plain(record.metric, 40)}, fitted: ${sixDigits(c)}`,
            `${count} trials here`,
          ].join("\n");
        }
        const at = record.number.indexOf(c);
        return [
          `Trial ${c}`,
          parameterWords(x.axis, fromWire(record.mark_x[at]), sixDigits),
          parameterWords(y.axis, fromWire(record.mark_y[at]), sixDigits),
          `${plain(record.metric, 40)}: ${sixDigits(fromWire(record.value[at]))}`,
        ].join("\n");
      },
    },
    xAxis: parameterScale(colours, x.axis, { nameGap: 26, splitLine: { show: false } }),
    yAxis: parameterScale(colours, y.axis, { nameGap: 50, splitLine: { show: false } }),
    series: [
      {
        id: "cells",
        type: "custom",
        zlevel: 0, // a brush draws custom series anew, without the default that all else has
        data: cells,
        z: 1,
        progressive: 0,
        encode: { x: 0, y: 1 },
        clip: true,
        renderItem: (_: unknown, api: Api) => {
          const [across, up] = [api.value(0), api.value(1)];
          const from = api.coord([edge(x, across), edge(y, up)]);
          const to = api.coord([edge(x, across + 1), edge(y, up + 1)]);
          const [left, top] = [Math.min(from[0], to[0]), Math.min(from[1], to[1])];
          // Half a pixel over the edge: no hair lines between the cells.
          const shape = {
            x: left,
            y: top,
            width: Math.abs(to[0] - from[0]) + 0.5,
            height: Math.abs(to[1] - from[1]) + 0.5,
          };
          return { type: "rect", shape, style: { fill: blended(ramp, share(api.value(2))) } };
        },
      },
      ...scattered({ marks, looks, chosen, colours, logX: isLog(x.axis), logY: isLog(y.axis) }),
    ],
    ...selecting(colours),
  };
}

// Edges between categories lie at their own places: nothing is spread there.
function edge(side: GridAxis, at: number): number {
  const value = fromWire(side.edges[at]);
  return side.axis.kind === "category" ? value : placed(side.axis, value, 0);
}
