import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { read } from "../api/client.ts";
import type { components } from "../api/schema.ts";

/** All that is known of a study beside its trials. */
export type StudyDetail = components["schemas"]["StudyDetail"];

/** A study in a line of the list. */
export type StudySummary = components["schemas"]["StudySummary"];

/** The question for a study as it is now. */
export function studyQuery(study: string) {
  return queryOptions({
    queryKey: ["study", study, "detail"],
    queryFn: ({ signal }) => read("/api/studies/{study}", { path: { study }, signal }),
  });
}

/** A study as it is now; whoever shows it shares one question. */
export function useStudy(study: string) {
  return useQuery({ ...studyQuery(study), placeholderData: keepPreviousData });
}

/** A trial as it is now; whoever shows it shares one question. */
export function useTrial(study: string, number: number) {
  return useQuery({
    queryKey: ["study", study, "trial", number, "detail"],
    queryFn: ({ signal }) =>
      read("/api/studies/{study}/trials/{number}", { path: { study, number }, signal }),
    placeholderData: keepPreviousData,
  });
}
