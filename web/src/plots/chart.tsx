import { useComputedColorScheme, VisuallyHidden } from "@mantine/core";
import { useEffect, useEffectEvent, useId, useRef } from "react";
import { init, type EChartsType } from "./echarts.ts";
import { useHovered } from "./hovered.ts";
import type { Area, Met, Span } from "./marks.ts";
import { palette, type Palette } from "./palette.ts";
import { Turns } from "./turns.ts";

/** An ECharts option, made by a plot; `chart.tsx` adds what all plots have in common. */
export type Option = Record<string, unknown>;

/** What dragging over a plot does. */
export type Drag = "select" | "zoom" | "move" | "none";

type Place = { seriesIndex: number; dataIndex: number };

type ChartProps = {
  option: Option;
  /** What the plot is, in a few words. */
  label: string;
  /** What a person who does not see it should know. */
  summary: string;
  height?: number;
  drag?: Drag;
  /** The rectangle that is selected on these axes. */
  area?: Area;
  onArea?: (area: Area) => void;
  /** What part is seen; only for plots that can be zoomed. */
  zoom?: Area;
  onZoom?: (area: Area) => void;
  /** The trial that a mark stands for. */
  trialOf?: (met: Met) => number | null;
  /** The marks of a trial. */
  placesOf?: (trial: number) => Place[];
  onOpen?: (met: Met) => void;
  /** What is selected on each parallel axis (their ids are `axis-0`, `axis-1`, …). */
  spans?: readonly (Span | null)[];
  /** Other events of ECharts that a plot listens to. */
  onEvent?: Record<string, (event: unknown) => void>;
};

/** A wheel and a drag say where they are thirty times a second; the address and the page hear where they came to rest. */
const SETTLED_MS = 150;

// A drawing fills a frame: it waits for one in which nothing else is to be done, but not for long.
const turns = new Turns((callback) => {
  if ("requestIdleCallback" in window) window.requestIdleCallback(callback, { timeout: 100 });
  else requestAnimationFrame(callback);
});

const COMPONENTS = ["series", "grid", "xAxis", "yAxis", "visualMap", "parallelAxis", "parallel"];

/** The palette of the page's present colour scheme. */
export function usePalette(): Palette {
  return palette(useComputedColorScheme("light"));
}

/**
 * The one place where ECharts draws. The canvas lives as long as the component: new data are merged into it, so that
 * zoom and hover survive every update.
 */
export function Chart(props: ChartProps) {
  const { option, label, summary, height = 300, drag = "none", area, zoom } = props;
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const seen = useRef("");
  const covered = useRef(false);
  const held = useRef(new Map<string, Span | null>());
  const colours = usePalette();
  const hovered = useHovered();
  const described = useId();

  const brushed = useEffectEvent((event: Brushed) => {
    const found = drawnArea(event);
    covered.current = event.areas.length > 0;
    if (drag === "zoom") {
      chart.current?.dispatchAction({ type: "brush", areas: [] });
      if (found.x !== null || found.y !== null) props.onZoom?.(found);
    } else whenPainted(() => props.onArea?.(found));
  });

  const zoomed = useEffectEvent(() => {
    const parts = (chart.current?.getOption().dataZoom ?? []) as Zoomed[];
    const found = { x: partSeen(parts, "zoom-x"), y: partSeen(parts, "zoom-y") };
    seen.current = JSON.stringify(found);
    props.onZoom?.(found);
  });

  const clicked = useEffectEvent((met: Met) => props.onOpen?.(met));
  const pointed = useEffectEvent((met: Met) => hovered.set(props.trialOf?.(met) ?? null));
  const left = useEffectEvent(() => hovered.set(null));
  const unzoomed = useEffectEvent(() => props.onZoom?.({ x: null, y: null }));
  const happened = useEffectEvent((name: string, event: unknown) => {
    const { parallelAxisId, intervals } = event as { parallelAxisId?: string; intervals?: Span[] };
    if (parallelAxisId !== undefined) held.current.set(parallelAxisId, intervals?.[0] ?? null);
    whenPainted(() => props.onEvent?.[name]?.(event));
  });
  const names = Object.keys(props.onEvent ?? {}).join(" ");

  useEffect(() => {
    if (box.current === null) return;
    const holding = held.current;
    const drawn = init(box.current, null, { renderer: "canvas" });
    chart.current = drawn;
    drawn.on("click", (event) => clicked(event as unknown as Met));
    drawn.on("mouseover", (event) => pointed(event as unknown as Met));
    drawn.on("mouseout", () => left());
    drawn.on("brushEnd", (event) => brushed(event as Brushed));
    let settling = 0;
    drawn.on("datazoom", () => {
      window.clearTimeout(settling);
      settling = window.setTimeout(zoomed, SETTLED_MS);
    });
    drawn.getZr().on("dblclick", () => unzoomed());
    for (const name of names.split(" ").filter(Boolean)) drawn.on(name, (event) => happened(name, event));
    const sizes = new ResizeObserver(() => drawn.resize());
    sizes.observe(box.current);
    return () => {
      window.clearTimeout(settling);
      turns.drop(chart);
      sizes.disconnect();
      drawn.dispose();
      chart.current = null;
      seen.current = "";
      holding.clear();
    };
  }, [names]);

  useEffect(() => {
    const base = common(colours);
    // A plot's own tooltip adds to the common one: without `richText` ECharts would write names as HTML.
    const tooltip = { ...base.tooltip, ...(option.tooltip as Option | undefined), renderMode: "richText" };
    const whole = { ...base, ...layered(option), tooltip };
    turns.add(chart, "option", () => chart.current?.setOption(whole, { replaceMerge: COMPONENTS }));
  }, [option, colours]);

  const shownZoom = zoom === undefined ? "" : JSON.stringify(zoom);
  useEffect(() => {
    if (shownZoom === "" || shownZoom === seen.current) return;
    const wanted = JSON.parse(shownZoom) as Area;
    seen.current = shownZoom;
    const batch = [zoomTo("zoom-x", wanted.x), zoomTo("zoom-y", wanted.y)];
    turns.add(chart, "zoom", () =>
      chart.current?.dispatchAction({ type: "dataZoom", batch }, { silent: true }),
    );
  }, [shownZoom, option]);

  const brushing = drag === "select" || drag === "zoom";
  useEffect(() => {
    if (option.brush === undefined) return;
    const brushOption = { brushType: brushing ? (option.brushType ?? "rect") : false, brushMode: "single" };
    turns.add(chart, "cursor", () =>
      chart.current?.dispatchAction({ type: "takeGlobalCursor", key: "brush", brushOption }),
    );
  }, [brushing, option]);

  const shownArea = area === undefined ? "" : JSON.stringify(area);
  useEffect(() => {
    if (shownArea === "" || option.brush === undefined) return;
    const wanted = areas(JSON.parse(shownArea) as Area);
    turns.add(chart, "area", () => {
      if (wanted.length > 0 || covered.current)
        chart.current?.dispatchAction({ type: "brush", areas: wanted });
      covered.current = wanted.length > 0;
    });
  }, [shownArea, option]);

  // Each of these costs ECharts a whole drawing: an axis that holds its span already, drawn by hand or kept through new
  // data, is left alone.
  const shownSpans = JSON.stringify(props.spans ?? []);
  useEffect(() => {
    turns.add(chart, "spans", () => {
      const wanted = JSON.parse(shownSpans) as (Span | null)[];
      for (const [at, span] of wanted.entries()) {
        const parallelAxisId = `axis-${at}`;
        if (alike(held.current.get(parallelAxisId) ?? null, span)) continue;
        held.current.set(parallelAxisId, span);
        const intervals = span === null ? [] : [span];
        chart.current?.dispatchAction(
          { type: "axisAreaSelect", parallelAxisId, intervals },
          { silent: true },
        );
      }
      for (const id of held.current.keys())
        if (Number(id.slice("axis-".length)) >= wanted.length) held.current.delete(id);
    });
  }, [shownSpans]);

  const places = useEffectEvent((trial: number) => props.placesOf?.(trial) ?? []);
  useEffect(
    () =>
      hovered.listen((trial) => {
        chart.current?.dispatchAction({ type: "downplay" });
        if (trial === null) return;
        for (const place of places(trial)) chart.current?.dispatchAction({ type: "highlight", ...place });
      }),
    [hovered],
  );

  return (
    <>
      <div
        ref={box}
        role="img"
        aria-label={label}
        aria-describedby={described}
        style={{ height, width: "100%" }}
      />
      <VisuallyHidden id={described}>{summary}</VisuallyHidden>
    </>
  );
}

// What a person drew is on the screen before the page works out what follows from it.
function whenPainted(then: () => void): void {
  window.requestAnimationFrame(() => window.setTimeout(then));
}

// The address holds six digits of what was drawn.
function alike(one: Span | null, other: Span | null): boolean {
  if (one === null || other === null) return one === other;
  const near = 1e-5 * Math.max(...[...one, ...other].map(Math.abs));
  return Math.abs(one[0] - other[0]) <= near && Math.abs(one[1] - other[1]) <= near;
}

// Axes, marks and what a person draws over them have a canvas each: moving a selection paints no mark anew.
function layered(option: Option): Option {
  const below = (part: unknown, zlevel: number) =>
    Array.isArray(part)
      ? (part as Option[]).map((one) => ({ zlevel, ...one }))
      : part === undefined
        ? part
        : { zlevel, ...(part as Option) };
  return {
    ...option,
    xAxis: below(option.xAxis, -2),
    yAxis: below(option.yAxis, -2),
    series: below(option.series, -1),
  };
}

function common(colours: Palette) {
  return {
    animation: false,
    progressive: 0,
    backgroundColor: "transparent",
    color: [...colours.series],
    textStyle: { color: colours.ink, fontFamily: "system-ui, sans-serif", fontSize: 12 },
    tooltip: {
      trigger: "item",
      renderMode: "richText",
      confine: true,
      transitionDuration: 0,
      backgroundColor: colours.panel,
      borderColor: colours.line,
      borderWidth: 1,
      padding: [6, 9],
      textStyle: { color: colours.ink, fontSize: 12, lineHeight: 17 },
    },
  };
}

/** What every axis of a plot looks like. */
export function axis(colours: Palette, more: Option = {}): Option {
  return {
    nameLocation: "middle",
    nameTextStyle: { color: colours.faint, overflow: "truncate", width: 300, ellipsis: "…" },
    axisLine: { show: true, lineStyle: { color: colours.line } },
    axisTick: { lineStyle: { color: colours.line } },
    axisLabel: { color: colours.faint, hideOverlap: true, width: 110, overflow: "truncate" },
    splitLine: { lineStyle: { color: colours.line } },
    minorTick: { show: false },
    scale: true,
    ...more,
  };
}

/** The part of an option that lets a person zoom and move: with the control key and the wheel, and by dragging. */
export function zooming(drag: Drag, axes: "x" | "xy" = "xy"): Option {
  const inside = {
    type: "inside",
    filterMode: "none",
    zoomOnMouseWheel: "ctrl",
    moveOnMouseMove: drag === "move",
    moveOnMouseWheel: false,
    preventDefaultMouseMove: drag === "move",
    throttle: 30,
  };
  const x = { id: "zoom-x", xAxisIndex: 0, ...inside };
  return { dataZoom: axes === "x" ? [x] : [x, { id: "zoom-y", yAxisIndex: 0, ...inside }] };
}

/** The part of an option that lets a person draw a rectangle. */
export function selecting(colours: Palette, type: "rect" | "lineX" = "rect"): Option {
  return {
    brushType: type,
    brush: {
      xAxisIndex: 0,
      yAxisIndex: type === "rect" ? 0 : undefined,
      throttleType: "debounce",
      throttleDelay: 100,
      outOfBrush: { opacity: 1 },
      brushStyle: { borderWidth: 1, color: "rgba(86,150,210,0.12)", borderColor: colours.states.running },
      z: 100,
    },
  };
}

type Brushed = { areas: { brushType?: string; coordRange?: unknown }[] };
type Zoomed = { id: string; start: number; end: number; startValue: number; endValue: number };

function drawnArea(event: Brushed): Area {
  const [first] = event.areas;
  const range = first?.coordRange;
  if (!Array.isArray(range)) return { x: null, y: null };
  if (first?.brushType === "lineX") return { x: ordered(range), y: null };
  return { x: ordered(range[0]), y: ordered(range[1]) };
}

function ordered(range: unknown): Span | null {
  if (!Array.isArray(range)) return null;
  const [one, other] = (range as unknown[]).map(Number);
  if (one === undefined || other === undefined || !Number.isFinite(one) || !Number.isFinite(other))
    return null;
  return one <= other ? [one, other] : [other, one];
}

function areas(area: Area): Option[] {
  const { x, y } = area;
  if (x !== null && y !== null)
    return [{ brushType: "rect", xAxisIndex: 0, yAxisIndex: 0, coordRange: [x, y] }];
  if (x !== null) return [{ brushType: "lineX", xAxisIndex: 0, coordRange: x }];
  if (y !== null) return [{ brushType: "lineY", yAxisIndex: 0, coordRange: y }];
  return [];
}

function partSeen(parts: readonly Zoomed[], id: string): Span | null {
  const part = parts.find((one) => one.id === id);
  if (part === undefined || (part.start <= 0.001 && part.end >= 99.999)) return null;
  return [part.startValue, part.endValue];
}

function zoomTo(dataZoomId: string, span: Span | null): Option {
  return span === null
    ? { dataZoomId, start: 0, end: 100 }
    : { dataZoomId, startValue: span[0], endValue: span[1] };
}
