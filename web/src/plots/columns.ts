/** A name's column in expressions: the built-in ones have none in front. */
export function valueColumn(metric: string, objectives: readonly string[]): string {
  return objectives.length === 1 && objectives[0] === metric ? "value" : `metrics.${metric}`;
}

/** A parameter's column. */
export function parameterColumn(name: string): string {
  return `params.${name}`;
}

/** A column's name as a heading: the parameter's or the metric's own name. */
export function heading(column: string): string {
  return column.replace(/^(params|metrics)\./, "");
}
