/** The points of a line through the values, as an SVG path of steps; empty where there is nothing to draw. */
export function steps(
  values: readonly (number | string)[],
  width: number,
  height: number,
  margin = 1.5,
): string {
  const found = values.map(Number).filter((value) => Number.isFinite(value));
  if (found.length < 2) return "";
  const low = Math.min(...found);
  const span = Math.max(...found) - low;
  const x = (at: number) => margin + (at / (found.length - 1)) * (width - 2 * margin);
  const y = (value: number) =>
    span === 0 ? height / 2 : height - margin - ((value - low) / span) * (height - 2 * margin);
  const rounded = (value: number) => Number(value.toFixed(2));
  return found
    .map((value, at) =>
      at === 0 ? `M${rounded(x(0))} ${rounded(y(value))}` : `H${rounded(x(at))}V${rounded(y(value))}`,
    )
    .join("");
}
