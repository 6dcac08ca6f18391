import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { address, answered } from "../../api/client.ts";

/** Which trials a bitmask holds: bit `n` (the lowest first) is trial `n`. */
export function held(mask: Uint8Array): (trial: number) => boolean {
  return (trial) => ((mask[trial >> 3] ?? 0) & (1 << (trial & 7))) !== 0;
}

/** How many trials a bitmask holds. */
export function counted(mask: Uint8Array): number {
  let count = 0;
  for (let byte of mask) for (; byte !== 0; byte &= byte - 1) count += 1;
  return count;
}

/** The trials for which the expression holds, kept while the next answer loads. Throws `Refused` for a bad one. */
export async function readMask(study: string, where: string, signal?: AbortSignal): Promise<Uint8Array> {
  const at = address("/api/studies/{study}/mask", { study }, { where });
  return new Uint8Array(await (await answered(at, { signal })).arrayBuffer());
}

/** Which trials an expression singles out, and how many; `chosen` is null where it is empty or cannot be read. */
export function useMask(study: string, where: string) {
  const { data, error } = useQuery({
    queryKey: ["study", study, "mask", where],
    queryFn: ({ signal }) => readMask(study, where, signal),
    enabled: where !== "",
    placeholderData: keepPreviousData,
  });
  const mask = where === "" || error ? undefined : data;
  const chosen = useMemo(() => (mask === undefined ? null : held(mask)), [mask]);
  const count = useMemo(() => (mask === undefined ? null : counted(mask)), [mask]);
  return { chosen, count, error: where === "" ? null : error };
}
