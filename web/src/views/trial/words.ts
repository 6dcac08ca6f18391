import { fromWire } from "../../plots/marks.ts";
import { seconds, sixDigits } from "../../plots/numbers.ts";
import { pythonQuoted, shellQuoted, type CopyTexts } from "../../shared/copytexts.ts";
import type { Attempt, Deed, Detail, Wire } from "./types.ts";

/** A number from the wire in six digits; "—" where there is none. */
export function number(value: Wire): string {
  return value === null || value === undefined ? "—" : sixDigits(fromWire(value));
}

/** A parameter's value in one line. */
export function setting(value: unknown): string {
  if (typeof value === "number") return sixDigits(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Bytes in the unit that leaves three digits. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let amount = bytes;
  while (amount >= 999.5 && at < units.length - 1) [amount, at] = [amount / 1000, at + 1];
  return `${Number(amount.toPrecision(3))} ${units[at] ?? ""}`;
}

/** How the trial's value stands to the best one. */
export function against(detail: Detail): string {
  const { record, best, best_value: top, goal, ahead } = detail;
  if (record.value === null || best === null) return "";
  if (record.number === best) return "the best of all";
  const difference = fromWire(record.value) - fromWire(top);
  if (!Number.isFinite(difference)) return "";
  const place = ahead === null ? "" : `, ${ordinal(ahead + 1)} of all`;
  if (goal !== "minimize" && goal !== "maximize") return `best ${number(top)}${place}`;
  const sign = difference > 0 ? "+" : difference < 0 ? "−" : "±";
  return `${sign}${sixDigits(Math.abs(difference)).replace("−", "")} to the best${place}`;
}

/** 1st, 2nd, 3rd, 11th. */
export function ordinal(place: number): string {
  const teen = place % 100 >= 11 && place % 100 <= 13;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][place % 10] ?? "th");
  return `${place.toLocaleString("en")}${ending}`;
}

/** Seconds that a trial took, or has taken so far by the clock `now` (Unix seconds). */
export function took(detail: Detail, now: number): number | null {
  const { duration, started, state } = detail.record;
  if (duration !== null) return duration;
  return started !== null && state === "running" ? Math.max(0, now - Date.parse(started) / 1000) : null;
}

/** When, counted from the study's beginning. */
export function after(at: number): string {
  return seconds(at);
}

/** What is said of an attempt's end. */
export function ending(attempt: Attempt): string {
  if (attempt.how === null || attempt.how === undefined) {
    return attempt.started === null || attempt.started === undefined ? "about to start" : "running";
  }
  const said: Record<string, string> = {
    exited: "exited", timeout: "ran out of its time", killed: "was killed", lost: "was lost with its machine",
    never: "never started", interrupted: "was interrupted with its runner", told: "was told",
  }; // prettier-ignore
  const code = attempt.code === null || attempt.code === undefined ? "" : ` with status ${attempt.code}`;
  return `${said[attempt.how] ?? attempt.how}${attempt.how === "told" ? "" : code}`;
}

/** What kind of thing a deed is, as far as people care. */
export function tone(deed: Deed): "good" | "bad" | "asked" | "plain" {
  if (deed.kind === "request") return "asked";
  const { state, how, code } = deed.data as { state?: string; how?: string; code?: number };
  if (deed.event === "completed") return state === "complete" ? "good" : "bad";
  if (deed.event === "stopped" || deed.event === "checkpoint lost") return "bad";
  if (deed.event === "exited")
    return how === "told" || (how === "exited" && (code ?? 0) === 0) ? "plain" : "bad";
  return deed.event === "continued" ? "good" : "plain";
}

function curl(origin: string, study: string, trial: number, rest: string): string {
  const path = `${origin}/api/studies/${encodeURIComponent(study)}/trials/${trial}${rest}`;
  return `curl -sS -H "Authorization: Bearer $RUNG_TOKEN" ${shellQuoted(path)}`;
}

function operands(study: string, trial: number): string {
  return `${study.startsWith("-") ? "-- " : ""}${shellQuoted(study)} ${trial}`;
}

/** How to get the reasons of a trial elsewhere. */
export function whyTexts(study: string, trial: number, origin: string): CopyTexts {
  return {
    cli: `rung why --json ${operands(study, trial)}`,
    python: `import subprocess\n\nsubprocess.run(["rung", "why", "--json", "--", ${pythonQuoted(study)}, "${trial}"])`,
    rest: curl(origin, study, trial, "/decisions"),
  };
}

/** How to get a trial's output elsewhere. */
export function logTexts(
  study: string,
  trial: number,
  attempt: number | null,
  stream: "stdout" | "stderr",
  origin: string,
): CopyTexts {
  const words = [
    ...(stream === "stderr" ? ["--err"] : []),
    ...(attempt === null ? [] : ["--attempt", `${attempt}`]),
  ];
  const query = new URLSearchParams();
  if (attempt !== null) query.set("attempt", `${attempt}`);
  if (stream === "stderr") query.set("stream", stream);
  const text = query.toString();
  return {
    cli: ["rung logs", ...words, operands(study, trial)].join(" "),
    python: `import subprocess\n\nsubprocess.run(${pythonList(["rung", "logs", ...words, "--", study, `${trial}`])})`,
    rest: curl(origin, study, trial, `/output${text === "" ? "" : `?${text}`}`),
  };
}

function pythonList(words: readonly string[]): string {
  return `[${words.map(pythonQuoted).join(", ")}]`;
}
