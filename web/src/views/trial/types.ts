import type { components } from "../../api/schema.ts";

type Schemas = components["schemas"];

/** Everything about one trial. */
export type Detail = Schemas["TrialDetail"];
/** What happened to it, one thing. */
export type Deed = Schemas["Deed"];
/** One run of its program. */
export type Attempt = Schemas["Attempt"];
/** Its metrics over steps and time. */
export type Curve = Schemas["TrialCurve"];
/** A part of its output. */
export type LogWindow = Schemas["LogWindow"];
/** A parameter beside the best trial's. */
export type Beside = Schemas["ParameterBeside"];
/** A number as JSON carries it. */
export type Wire = number | "NaN" | "Infinity" | "-Infinity" | null | undefined;
