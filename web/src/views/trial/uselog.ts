import { useCallback, useEffect, useEffectEvent, useRef, useState } from "react";
import { read } from "../../api/client.ts";
import { useLog as useHeard } from "../../shared/live.ts";
import { appended, bounds, NOTHING, prepended, type Stretch } from "./logtext.ts";
import type { LogWindow } from "./types.ts";

/** Which output is read. `attempt` null: the last one. */
export type Which = { study: string; trial: number; attempt: number | null; stream: "stdout" | "stderr" };

/** What is known of a log: the stretch in memory, and the server's last word on it. */
export type Log = { stretch: Stretch; said: LogWindow | null; error: Error | null };

const STEP = 65_536;
const FAR = 1_000_000; // bytes; whoever is farther behind goes to the end at once
const SLOW_MS = 3000; // what the stream did not say is asked for
const EMPTY: Log = { stretch: NOTHING, said: null, error: null };

/** A log that can be gone through in both directions, and followed while its attempt runs. */
export function useLog(which: Which, follow: boolean, live: boolean) {
  const { study, trial, attempt, stream } = which;
  const [log, setLog] = useState<Log>(EMPTY);
  const now = useRef(log);
  const busy = useRef(false);
  const keep = useCallback((next: Log) => {
    now.current = next;
    setLog(next);
  }, []);

  const ask = useCallback(
    (offset: number, limit = STEP, signal?: AbortSignal) =>
      read("/api/studies/{study}/trials/{number}/log", {
        path: { study, number: trial },
        query: { offset, limit, stream, ...(attempt === null ? {} : { attempt }) },
        ...(signal === undefined ? {} : { signal }),
      }),
    [study, trial, attempt, stream],
  );

  /** One request at a time changes the stretch; another one meanwhile is left out. */
  const change = useCallback(
    async (work: () => Promise<Log>, signal?: AbortSignal) => {
      if (busy.current) return;
      busy.current = true;
      try {
        const next = await work();
        if (signal?.aborted !== true) keep(next);
      } catch (error) {
        if (signal?.aborted !== true) keep({ ...now.current, error: error as Error });
      } finally {
        busy.current = false;
      }
    },
    [keep],
  );

  const toEnd = useCallback(
    (signal?: AbortSignal) =>
      change(async () => {
        const said = await ask(-STEP, STEP, signal);
        return { stretch: appended(NOTHING, said), said, error: null };
      }, signal),
    [ask, change],
  );

  const later = useCallback(
    () =>
      change(async () => {
        const { stretch, said: before } = now.current;
        const { end } = bounds(stretch);
        const said = await ask(end);
        const another = before !== null && before.attempt !== said.attempt;
        if (another || said.size < end || said.size - end > FAR) {
          const last = await ask(-STEP);
          return { stretch: appended(NOTHING, last), said: last, error: null };
        }
        return { stretch: appended(stretch, said), said, error: null };
      }),
    [ask, change],
  );

  const earlier = useCallback(
    () =>
      change(async () => {
        const { stretch } = now.current;
        const { begin } = bounds(stretch);
        if (begin === 0) return now.current;
        const offset = Math.max(0, begin - STEP);
        const said = await ask(offset, begin - offset);
        return { stretch: prepended(stretch, said), said, error: null };
      }),
    [ask, change],
  );

  /** What stands before and behind the byte `offset` is in memory, and a part begins with it. */
  const around = useCallback(
    (offset: number) =>
      change(async () => {
        const before = Math.max(0, offset - STEP / 2);
        const said = await ask(offset);
        const behind = appended(NOTHING, said);
        if (offset === 0) return { stretch: behind, said, error: null };
        return { stretch: prepended(behind, await ask(before, offset - before)), said, error: null };
      }),
    [ask, change],
  );

  useEffect(() => {
    const stop = new AbortController();
    busy.current = false;
    void Promise.resolve().then(() => toEnd(stop.signal));
    return () => stop.abort();
  }, [toEnd]);

  const tick = useEffectEvent(() => {
    if (document.visibilityState === "visible") void later();
  });
  const ended = log.said?.ended === true && (log.said.next >= log.said.size || !follow);
  const going = follow && live && !ended;
  // The stream tells of the last attempt alone.
  useHeard(study, going && attempt === null ? trial : null, stream, (said) => {
    const { stretch, said: before } = now.current;
    const follows = before?.attempt === said.attempt && said.offset === bounds(stretch).end;
    if (follows && !busy.current) keep({ stretch: appended(stretch, said), said, error: null });
    else if (said.size > bounds(stretch).end || before?.attempt !== said.attempt) void later();
  });
  useEffect(() => {
    if (!going) return;
    const timer = setInterval(tick, SLOW_MS);
    return () => clearInterval(timer);
  }, [going]);

  return { log, later, earlier, around, toEnd };
}
