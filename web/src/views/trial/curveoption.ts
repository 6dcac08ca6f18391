import { axis, type Option } from "../../plots/chart.tsx";
import { drawable, fromWire, plain } from "../../plots/marks.ts";
import { axisNumber, axisSeconds, seconds, sixDigits } from "../../plots/numbers.ts";
import type { Palette } from "../../plots/palette.ts";
import { points, type Over, type Point } from "./curvepoints.ts";
import type { Curve } from "./types.ts";

type Drawn = {
  curve: Curve;
  /** The curve of the best trial, to compare with. */
  best: Curve | null;
  names: readonly string[];
  over: Over;
  logX: boolean;
  logY: boolean;
  /** The metric that rungs look at. */
  metric: string | null;
  colours: Palette;
};

/** The option of the metrics plot: this trial's lines, the best trial's dashed, and the rungs it met. */
export function curveOption(drawn: Drawn): Option {
  const { curve, best, names, over, logX, logY, colours } = drawn;
  const colour = (at: number) => colours.series[at % colours.series.length] ?? colours.ink;
  const line = (id: string, name: string, data: Point[], more: Option): Option => ({
    id,
    name,
    type: "line",
    data,
    showSymbol: data.length < 60,
    symbolSize: 5,
    ...more,
  });
  const mine = names.map((name, at) =>
    line(`mine:${name}`, name, points(curve, name, over, logX, logY), {
      lineStyle: { width: 2, color: colour(at) },
      itemStyle: { color: colour(at) },
      z: 3,
    }),
  );
  const others =
    best === null
      ? []
      : names.map((name, at) =>
          line(
            `best:${name}`,
            `${name} of trial ${best.trial}, the best`,
            points(best, name, over, logX, logY),
            {
              lineStyle: { width: 1.5, type: "dashed", color: colour(at), opacity: 0.8 },
              itemStyle: { color: colour(at) },
              symbol: "emptyCircle",
              z: 2,
            },
          ),
        );
  const rungs = over === "step" ? rungMarks(drawn) : [];
  const x = over === "step" ? curve.resource : "seconds since the trial began";
  return {
    grid: { left: 64, right: 16, top: 16, bottom: 48 },
    xAxis: axis(colours, {
      type: logX ? "log" : "value",
      name: x,
      nameGap: 28,
      axisLabel: {
        color: colours.faint,
        hideOverlap: true,
        formatter: over === "time" ? axisSeconds : axisNumber,
      },
    }),
    yAxis: axis(colours, {
      type: logY ? "log" : "value",
      axisLabel: { color: colours.faint, hideOverlap: true, formatter: axisNumber },
    }),
    tooltip: {
      trigger: "item",
      formatter: (met: { seriesName?: string; value?: unknown; data?: { about?: string } }) => {
        if (met.data?.about !== undefined) return plain(met.data.about, 300);
        const [at = Number.NaN, value = Number.NaN] = Array.isArray(met.value) ? (met.value as number[]) : [];
        const where = over === "step" ? `${curve.resource} ${sixDigits(at)}` : seconds(at);
        return `${plain(met.seriesName ?? "")}\n${sixDigits(value)} at ${plain(where)}`;
      },
    },
    series: [...mine, ...others, ...rungs],
  };
}

/** The values that were needed at the rungs which the trial met. */
function rungMarks({ curve, logX, logY, metric, names, colours }: Drawn): Option[] {
  if (metric === null || !names.includes(metric)) return [];
  const data = curve.rungs.flatMap((rung) => {
    const x = drawable(rung.resource, logX);
    const y = drawable(fromWire(rung.threshold), logY);
    if (x === null || y === null) return [];
    const about = `${rung.passed ? "passed" : "did not pass"} rung ${rung.rung ?? ""}\n${rung.why}`;
    return [
      { value: [x, y], about, itemStyle: { color: rung.passed ? colours.states.complete : colours.accent } },
    ];
  });
  if (data.length === 0) return [];
  return [
    { id: "rungs", name: "needed at a rung", type: "scatter", symbol: "diamond", symbolSize: 11, data, z: 5 },
  ];
}

/** The plot in words. */
export function curveSummary(curve: Curve, names: readonly string[]): string {
  const said = names.map((name) => {
    const metric = curve.metrics.find((one) => one.name === name);
    const last = metric?.values.at(-1);
    return `${name}: ${metric?.of ?? 0} values, last ${last === undefined ? "none" : sixDigits(fromWire(last))}`;
  });
  const rungs = curve.rungs.map((rung) => rung.why);
  return [...said, ...rungs].join(". ");
}
