import type { Option } from "./chart.tsx";
import { drawable, type Met } from "./marks.ts";
import type { Palette } from "./palette.ts";

/** Marks of trials: columns of one length. `group` names each mark's kind. */
export type Marks = {
  number: readonly number[];
  x: readonly number[];
  y: readonly number[];
  group?: readonly string[];
};

/** How marks of one kind look. */
export type Look = { color: string; symbol?: string; size?: number; border?: string };

const LARGE = 1000;

type Scattering = {
  marks: Marks;
  /** How each kind looks, in the order in which they are drawn, the last on top. */
  looks: ReadonlyMap<string, Look>;
  chosen: ((trial: number) => boolean) | null;
  colours: Palette;
  logX?: boolean;
  logY?: boolean;
  more?: Option;
};

/**
 * Series of points, each `[x, y, trial]`: first the dimmed ones, then one series for each kind. A point that has no
 * place on the axes is left out.
 */
export function scattered(given: Scattering): Option[] {
  const { marks, looks, chosen, colours } = given;
  const dim: number[][] = [];
  const kinds = new Map([...looks.keys()].map((name) => [name, [] as number[][]]));
  const only = looks.keys().next().value ?? "";
  marks.number.forEach((trial, at) => {
    const x = drawable(marks.x[at] ?? Number.NaN, given.logX);
    const y = drawable(marks.y[at] ?? Number.NaN, given.logY);
    if (x === null || y === null) return;
    const into = chosen === null || chosen(trial) ? kinds.get(marks.group?.[at] ?? only) : dim;
    into?.push([x, y, trial]);
  });
  const big = marks.number.length > 1500 ? 4 : marks.number.length > 300 ? 6 : 8;
  const series = (id: string, data: number[][], look: Look): Option => ({
    id,
    type: "scatter",
    data,
    symbol: look.symbol ?? "circle",
    symbolSize: look.size ?? big,
    itemStyle: {
      color: look.color,
      opacity: 0.85,
      borderColor: look.border,
      borderWidth: look.border ? 1 : 0,
    },
    emphasis: { scale: 1.8, itemStyle: { borderColor: colours.ink, borderWidth: 1.5, opacity: 1 } },
    progressive: 0,
    large: data.length > LARGE, // one path for all marks of a kind instead of an object for each
    largeThreshold: LARGE,
    clip: true,
    ...given.more,
  });
  return [
    { ...series("dim", dim, { color: colours.dimmed }), z: 1 },
    ...[...looks].map(([name, look]) => series(`kind:${name}`, kinds.get(name) ?? [], look)),
  ];
}

/** The trial of a mark that `scattered` made. */
export function trialOfPoint(met: Met): number | null {
  return Array.isArray(met.value) && typeof met.value[2] === "number" ? met.value[2] : null;
}

/** Where each trial's marks are among the series of an option. */
export function placesOfPoints(
  series: readonly Option[],
): (trial: number) => { seriesIndex: number; dataIndex: number }[] {
  let places: Map<number, { seriesIndex: number; dataIndex: number }[]> | null = null;
  const found = () => {
    const made = new Map<number, { seriesIndex: number; dataIndex: number }[]>();
    series.forEach((one, seriesIndex) => {
      if (one.type !== "scatter" || !Array.isArray(one.data)) return;
      (one.data as number[][]).forEach((point, dataIndex) => {
        const trial = point[2];
        if (trial === undefined) return;
        made.set(trial, [...(made.get(trial) ?? []), { seriesIndex, dataIndex }]);
      });
    });
    return made;
  };
  return (trial) => (places ??= found()).get(trial) ?? [];
}
