import { axis, type Option } from "./chart.tsx";
import { plain } from "./marks.ts";
import { axisNumber } from "./numbers.ts";
import type { Palette } from "./palette.ts";
import { ends, isLog, valueAt, type ParameterAxis } from "./parameteraxis.ts";

/** A parameter's axis as ECharts draws it. */
export function parameterScale(colours: Palette, of: ParameterAxis, more: Option = {}): Option {
  const [min, max] = ends(of);
  const labels = of.categories ?? [];
  const category = of.kind === "category";
  return axis(colours, {
    type: isLog(of) ? "log" : "value",
    name: plain(of.name, 60),
    min,
    max,
    minInterval: of.kind === "integer" && !isLog(of) ? 1 : undefined,
    splitLine: { show: !category, lineStyle: { color: colours.line } },
    axisTick: { show: !category, lineStyle: { color: colours.line } },
    axisLabel: {
      color: colours.faint,
      hideOverlap: true,
      width: 90,
      overflow: "truncate",
      showMinLabel: category ? true : undefined,
      customValues: category ? labels.map((_, at) => at) : undefined,
      formatter: (place: number) =>
        category ? plain(labels[Math.round(place)] ?? "", 40) : axisNumber(valueAt(of, place)),
    },
    ...more,
  });
}

/** A parameter's value in words, for a tooltip. */
export function parameterWords(of: ParameterAxis, value: number, say: (value: number) => string): string {
  const said = of.kind === "category" ? (of.categories?.[Math.round(value)] ?? "") : say(value);
  return `${plain(of.name, 40)}: ${plain(said, 60)}`;
}
