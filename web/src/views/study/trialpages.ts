import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { components } from "../../api/schema.ts";
import { read } from "../../api/client.ts";
import { useFreshRows } from "../../shared/live.ts";
import { pagesOf, type ColumnInfo, type TrialRow } from "./trialcells.ts";

type TrialPage = components["schemas"]["TrialPage"];

/** Rows that are asked for at once. */
export const PAGE_ROWS = 100;
const KEPT_MS = 30_000; // pages that were scrolled past

/** Rows that were loaded, from `offset` on. */
export type LoadedPage = { offset: number; rows: readonly TrialRow[] };

/** Some rows of a table whose other rows are elsewhere. */
export type Rows = {
  /** How many rows the table has; null until that is known. */
  total: number | null;
  /** How many trials there are. */
  of: number;
  row: (index: number) => TrialRow | undefined;
  pages: readonly LoadedPage[];
  error: Error | null;
  loading: boolean;
};

/** The rows from `first` to `last`, page by page, and what the stream says of them since. */
export function useTrialRows(study: string, where: string, sort: string, first: number, last: number): Rows {
  const wanted = pagesOf(first, Math.max(first, last), PAGE_ROWS);
  const found = useQueries({
    queries: wanted.map((offset) => ({
      queryKey: ["study", study, "trials", { where, sort }, offset],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        read("/api/studies/{study}/trials", {
          path: { study },
          query: { where, sort, offset, limit: PAGE_ROWS },
          signal,
        }),
      gcTime: KEPT_MS,
      retry: false,
    })),
    combine: (results) => ({
      answers: results.map((result) => result.data),
      error: results.find((result) => result.error)?.error ?? null,
      loading: results.some((result) => result.isLoading),
    }),
  });
  const newest = found.answers.reduce<TrialPage | undefined>(
    (best, page) => (page !== undefined && (best === undefined || page.seq > best.seq) ? page : best),
    undefined,
  );
  // While a place is loaded that was not looked at before, the table is as long as it was.
  const key = `${study}\n${where}\n${sort}`;
  const [known, setKnown] = useState({ key, total: null as number | null, of: 0 });
  if (newest !== undefined && (known.key !== key || known.total !== newest.total || known.of !== newest.of)) {
    setKnown({ key, total: newest.total, of: newest.of });
  }
  const fresh = useFreshRows(study);
  const offsets = wanted.join();
  const { answers } = found;
  const pages = useMemo(
    () =>
      offsets.split(",").flatMap((offset, i): LoadedPage[] => {
        const page = answers[i];
        if (page === undefined) return [];
        const rows = page.rows.map((row) => {
          const newer = fresh.get(row.number);
          return newer !== undefined && newer.seq > page.seq ? newer.row : row;
        });
        return [{ offset: Number(offset), rows }];
      }),
    [offsets, answers, fresh],
  );
  return {
    total: known.key === key || newest === undefined ? known.total : newest.total,
    of: known.of,
    pages,
    row: (index) => {
      const page = pages.find(({ offset, rows }) => index >= offset && index < offset + rows.length);
      return page?.rows[index - page.offset];
    },
    error: found.error,
    loading: found.loading,
  };
}

/** The columns that there are. */
export function useColumnInfos(study: string): readonly ColumnInfo[] {
  const { data } = useQuery({
    queryKey: ["study", study, "columnlist"],
    queryFn: ({ signal }) => read("/api/studies/{study}/columnlist", { path: { study }, signal }),
    placeholderData: keepPreviousData,
  });
  return data?.columns ?? NONE;
}

const NONE: readonly ColumnInfo[] = [];
