import type { paths } from "./schema.ts";

/** Paths that answer a GET with JSON. */
export type Readable = {
  [P in keyof paths]: paths[P] extends {
    get: { responses: { 200: { content: { "application/json": unknown } } } };
  }
    ? P
    : never;
}[keyof paths];

type Get<P extends Readable> = paths[P] extends {
  get: { responses: { 200: { content: { "application/json": infer R } } } };
}
  ? R
  : never;

type Query<P extends Readable> = paths[P] extends { get: { parameters: { query?: infer Q } } } ? Q : never;
type InPath<P extends Readable> = paths[P] extends { get: { parameters: { path: infer Q } } }
  ? Q
  : Record<string, never>;

/** What the server said instead of an answer. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** What a parameter in a path or a query may be. */
export type Value = string | number | boolean | null | undefined;

/** The address of a path of the API with its parameters filled in; empty ones are left out. */
export function address(
  path: string,
  inPath: Record<string, Value> = {},
  query: Record<string, Value> = {},
): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(inPath[name])));
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") words.set(name, String(value));
  }
  const text = words.toString();
  return text ? `${filled}?${text}` : filled;
}

/** The JSON that the server answers a GET with. Throws `Refused`. */
export async function read<P extends Readable>(
  path: P,
  given: { path?: InPath<P>; query?: Query<P>; signal?: AbortSignal } = {},
): Promise<Get<P>> {
  const where = address(path, given.path as Record<string, Value>, given.query as Record<string, Value>);
  return (await (await answered(where, { signal: given.signal })).json()) as Get<P>;
}

type Source = (where: string, how: RequestInit) => Response | Promise<Response>;

let source: Source = (where, how) => fetch(where, { ...how, credentials: "same-origin" });

/** From now on all answers come from there: a report holds its own, and has no server. */
export function answerFrom(other: Source): void {
  source = other;
}

/** The server's answer. Throws `Refused` with its one line when it is none. */
export async function answered(where: string, how: RequestInit): Promise<Response> {
  const response = await source(where, how);
  if (response.ok) return response;
  let detail = response.statusText;
  try {
    detail = ((await response.json()) as { detail?: string }).detail ?? detail;
  } catch {
    detail ||= "the server gave no reason";
  }
  throw new Refused(response.status, detail);
}
