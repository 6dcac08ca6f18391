/** Whether the page is light or dark. */
export type Scheme = "light" | "dark";

/** The colours of a plot. Marks are told apart by people with any kind of colour sight, on both grounds. */
export type Palette = {
  ink: string;
  faint: string;
  line: string;
  ground: string;
  panel: string;
  series: readonly string[];
  accent: string;
  dimmed: string;
  states: Readonly<Record<string, string>>;
};

// Okabe and Ito, "Color universal design" (2008): blue, vermillion, green, purple, orange, sky, yellow. The darker
// ones stand out on white by 3 : 1 or more; on black the lighter variants do.
const LIGHT = ["#0072b2", "#c8500a", "#008560", "#b0528c", "#a36f00", "#2a8fc4", "#6b6b6b", "#7a4fbf"];
const DARK = ["#56b4e9", "#ff8a4c", "#2fc79a", "#e69ac4", "#f0b429", "#8fd0f5", "#b8b8b8", "#b79cf0"];

/** The palette of a colour scheme. */
export function palette(scheme: Scheme): Palette {
  const dark = scheme === "dark";
  const series = dark ? DARK : LIGHT;
  const [blue = "", red = "", green = "", purple = "", orange = "", , grey = ""] = series;
  return {
    ink: dark ? "#d5d7da" : "#33373c",
    faint: dark ? "#9a9fa6" : "#62676e",
    line: dark ? "#3a3f45" : "#e3e6e9",
    ground: dark ? "#1c1f23" : "#ffffff",
    panel: dark ? "#2a2e33" : "#ffffff",
    series,
    accent: red,
    dimmed: dark ? "rgba(150,156,164,0.16)" : "rgba(110,118,128,0.16)",
    states: { complete: green, running: blue, waiting: grey, paused: purple, pruned: orange, failed: red },
  };
}

// Cividis (Nuñez, Anderton and Renslow 2018), nine points: light and dark differ for every kind of colour sight.
const CIVIDIS = [
  "#00224e",
  "#123570",
  "#3b496c",
  "#575d6d",
  "#707173",
  "#8a8678",
  "#a59c74",
  "#c3b369",
  "#e1cc55",
  "#fee838",
];

/** Colours from the least to the most; each stands out from the ground. */
export function sequence(scheme: Scheme): readonly string[] {
  return scheme === "dark" ? CIVIDIS.slice(2) : CIVIDIS.slice(0, 9);
}

/** The colours of a metric's values, from the least to the most; those near the best stand out from the ground. */
export function towardsBest(scheme: Scheme, goal: string | number | null): readonly string[] {
  const colours = sequence(scheme);
  const lowest = scheme === "dark" ? [...colours].reverse() : colours;
  return goal === "maximize" ? [...lowest].reverse() : lowest;
}

/** The colour of `share` (0 to 1) between the colours of a sequence; what is no number is grey. */
export function blended(colours: readonly string[], share: number): string {
  if (!Number.isFinite(share)) return "#8a8f96";
  const at = Math.min(Math.max(share, 0), 1) * (colours.length - 1);
  const below = Math.min(Math.floor(at), colours.length - 2);
  const from = channels(colours[below] ?? "#000000");
  const to = channels(colours[below + 1] ?? "#000000");
  const mixed = from.map((value, at_) => Math.round(value + ((to[at_] ?? 0) - value) * (at - below)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

/** Where values lie between the least and the most of them, 0 to 1; on a log scale where asked and all are above 0. */
export function shares(values: readonly number[], log = false): (value: number) => number {
  const finite = values.filter((value) => Number.isFinite(value));
  const place = log && finite.every((value) => value > 0) ? Math.log : (value: number) => value;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of finite) {
    const at = place(value);
    if (at < low) low = at;
    if (at > high) high = at;
  }
  const span = high - low;
  return (value) => (span > 0 ? (place(value) - low) / span : 0.5);
}
