/** A number in at most six digits, as short as it can be said; what is no number as it is. */
export function sixDigits(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return value.toLocaleString("en").replace("-", "−");
  const text = size >= 1e6 || size < 1e-4 ? value.toExponential(5) : value.toPrecision(6);
  const [digits = "", power] = text.split("e");
  const short = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
  return (power === undefined ? short : `${short}e${power.replace("+", "")}`).replaceAll("-", "−");
}

/** A number for an axis: as short as it can be. */
export function axisNumber(value: number): string {
  const size = Math.abs(value);
  if (value !== 0 && (size >= 1e5 || size < 1e-3))
    return value
      .toExponential()
      .replace("+", "")
      .replace(/(\.\d{2})\d*/, "$1");
  return String(Number(value.toPrecision(5)));
}

/** Seconds in words that one reads at a glance. */
export function seconds(value: number): string {
  if (!Number.isFinite(value)) return "—";
  const size = Math.abs(value);
  if (size < 1) return `${Number((value * 1000).toPrecision(3))} ms`;
  if (size < 100) return `${Number(value.toPrecision(3))} s`;
  const whole = Math.round(size);
  const [days, hours, minutes] = [
    Math.floor(whole / 86400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
}

/** Seconds for an axis. */
export function axisSeconds(value: number): string {
  const size = Math.abs(value);
  if (size >= 172800) return `${Number((value / 86400).toPrecision(3))} d`;
  if (size >= 7200) return `${Number((value / 3600).toPrecision(3))} h`;
  if (size >= 120) return `${Number((value / 60).toPrecision(3))} min`;
  return size >= 1 || size === 0
    ? `${Number(value.toPrecision(3))} s`
    : `${Number((value * 1000).toPrecision(3))} ms`;
}
