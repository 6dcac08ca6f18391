import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDebouncedValue } from "@mantine/hooks";
import { answered } from "../../api/client.ts";
import type { components } from "../../api/schema.ts";
import type { Fault, Preview, Submission } from "./formstate.ts";

const PAUSE_MS = 200;
const NOTHING: Fault[] = [];

/** Sends JSON and gives what the server answers. Throws `Refused`. */
async function posted<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const headers = { "Content-Type": "application/json" };
  const response = await answered(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  return (await response.json()) as T;
}

/** What the server says of a submission; `current`: it speaks of what is on the screen, not of what was there before. */
export type Seen = { preview?: Preview; faults: Fault[]; current: boolean; refusal?: string };

/** What would be started, asked for when somebody has stopped typing; answers to earlier questions are dropped. */
export function usePreview(asked: Submission, wrong: Fault[]): Seen {
  const question = wrong.length === 0 ? JSON.stringify(asked) : "";
  const [calm] = useDebouncedValue(question, PAUSE_MS);
  const answer = useQuery({
    queryKey: ["project", "preview", calm],
    queryFn: ({ signal }) => posted<Preview>("/api/project/preview", JSON.parse(calm), signal),
    enabled: calm !== "",
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 10_000,
    retry: false,
  });
  const current = calm === question && !answer.isFetching && !answer.isPlaceholderData && question !== "";
  if (wrong.length > 0) return { preview: answer.data, faults: wrong, current: false };
  return {
    preview: answer.data,
    faults: answer.data?.faults ?? NOTHING,
    current: current && answer.isSuccess,
    refusal: current && answer.isError ? answer.error.message : undefined,
  };
}

/**
 * Starts the study that the preview of this digest showed; `key` makes that happen once, however often it is asked for.
 * Gives its name.
 */
export async function startStudy(study: Submission, key: string, seen: string): Promise<string> {
  type Started = components["schemas"]["StudyStarted"];
  return (await posted<Started>("/api/project/start", { study, key, seen })).study;
}

/** A key that nobody else has. `crypto.randomUUID` is not there on a page without TLS. */
export function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
