/** A place on a plot's axes, in their own numbers. */
export type Span = [number, number];

/** A rectangle on a plot's axes; null leaves an axis free. */
export type Area = { x: Span | null; y: Span | null };

/** What the pointer met: a mark of a series. */
export type Met = { seriesId: string; seriesIndex: number; dataIndex: number; value: unknown };

/** A text as a tooltip shows it: at most `most` characters, and no brace that would be taken for a style. */
export function plain(text: string, most = 90): string {
  const short = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return short.replaceAll("{", "{\u200b");
}

/** "from:to" for the address. */
export function spanText(span: Span | null): string {
  return span === null ? "" : span.map((value) => String(Number(value.toPrecision(8)))).join(":");
}

/** The span that `spanText` wrote; null for anything else. */
export function spanOf(text: string): Span | null {
  const [low, high, more] = text.split(":").map((part) => (part === "" ? Number.NaN : Number(part)));
  if (low === undefined || high === undefined || more !== undefined) return null;
  return Number.isFinite(low) && Number.isFinite(high) && low < high ? [low, high] : null;
}

/** "x0:x1,y0:y1" for the address; "" for what shows everything. */
export function areaText(area: Area): string {
  return area.x === null && area.y === null ? "" : `${spanText(area.x)},${spanText(area.y)}`;
}

/** The area that `areaText` wrote. */
export function areaOf(text: string): Area {
  const [x = "", y = ""] = text.split(",");
  return { x: spanOf(x), y: spanOf(y) };
}

/** "showing n of N" where something was left out, else "". */
export function showing(shown: number, of: number, what = "trials"): string {
  return shown < of ? `showing ${shown.toLocaleString("en")} of ${of.toLocaleString("en")} ${what}` : "";
}

/** A number from the wire, where NaN and the infinities are texts. */
export function fromWire(value: number | string | null | undefined): number {
  if (value === null || value === undefined) return Number.NaN;
  return Number(value);
}

/** A coordinate that can be drawn, or null: what is not finite, or not above 0 on a log axis, has no place. */
export function drawable(value: number, log = false): number | null {
  return Number.isFinite(value) && (!log || value > 0) ? value : null;
}
