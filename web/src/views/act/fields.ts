import type { components } from "../../api/schema.ts";

type Parameter = components["schemas"]["ParameterInfo"];

/** A pair of a dotted path and the text of a value, as `rung edit --set` takes it. */
export type Setting = [string, string];

/** A value as a person writes it in a field: text as it is, everything else as JSON. */
export function written(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What a parameter's field begins with: the best trial's value, else its default, else what lies in the middle. */
export function first(parameter: Parameter, best: Readonly<Record<string, unknown>>): string {
  if (parameter.name in best) return written(best[parameter.name]);
  if (parameter.type === "constant") return written(parameter.value);
  return written(parameter.default);
}

/** The value that a field's text stands for; undefined where it is left open. Text of a number stays text that the
 * server reads: it knows what the parameter can hold, and says so. */
export function valueOf(parameter: Parameter, text: string): unknown {
  const bare = text.trim();
  if (bare === "") return undefined;
  if (parameter.values !== null) {
    const known = parameter.values.find((value) => written(value) === bare);
    return known ?? bare;
  }
  if (parameter.type === "bool") return bare === "true" ? true : bare === "false" ? false : bare;
  if (parameter.type === "constant" && typeof parameter.value === "string") return bare;
  const value = Number(bare);
  if (Number.isFinite(value)) return value;
  if (parameter.type !== "constant") return bare;
  try {
    return JSON.parse(bare) as unknown;
  } catch {
    return bare;
  }
}

/** The configuration that the fields say; parameters that are left open are not in it. */
export function configuration(
  parameters: readonly Parameter[],
  texts: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const parameter of parameters) {
    const value = valueOf(parameter, texts[parameter.name] ?? "");
    const unchanged = parameter.type === "constant" && written(value) === written(parameter.value);
    if (value !== undefined && !unchanged) found[parameter.name] = value;
  }
  return found;
}

/** One field of a form that changes settings: where it stands in the study file, and what it is now. */
export type Field = { path: string; label: string; now: string; hint?: string };

/** The settings that differ from what they are; an emptied one becomes `null`, which takes it away. */
export function changed(fields: readonly Field[], texts: Readonly<Record<string, string>>): Setting[] {
  return fields.flatMap((field): Setting[] => {
    const text = (texts[field.path] ?? field.now).trim();
    return text === field.now.trim() ? [] : [[field.path, text === "" ? "null" : text]];
  });
}

/** Seconds as a study file writes them. */
export function time(seconds: number | null): string {
  if (seconds === null) return "";
  for (const [unit, size] of [
    ["h", 3600],
    ["m", 60],
  ] as const) {
    if (seconds >= size && seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}

/** The fields of one parameter that an edit of the space may change, as far as its type has them. */
export function fieldsOf(parameter: Parameter): Field[] {
  const at = `parameters.${parameter.name}`;
  const field = (name: string, label: string, value: unknown): Field => ({
    path: `${at}.${name}`,
    label,
    now: name === "values" && Array.isArray(value) ? JSON.stringify(value) : written(value),
  });
  const found: Field[] = [];
  if (parameter.type === "constant") return found;
  if (parameter.values !== null) found.push(field("values", "values", parameter.values));
  else if (["float", "int"].includes(parameter.type)) {
    found.push(field("min", "min", parameter.min), field("max", "max", parameter.max));
    found.push(field("scale", "scale", parameter.scale), field("step", "step", parameter.step));
  }
  found.push(field("default", "default", parameter.default), field("when", "when", parameter.when));
  return found;
}

/** The tags that a text of commas names, each once. */
export function tagsIn(text: string): string[] {
  return [...new Set(text.split(",").map((tag) => tag.trim()))].filter((tag) => tag !== "");
}

/** What is to be added and taken away so that `now` becomes `wanted`. */
export function tagChange(
  now: readonly string[],
  wanted: readonly string[],
): { tag: string[]; untag: string[] } {
  return {
    tag: wanted.filter((tag) => !now.includes(tag)),
    untag: now.filter((tag) => !wanted.includes(tag)),
  };
}
