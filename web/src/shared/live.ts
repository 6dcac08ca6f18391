import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useSyncExternalStore } from "react";
import type { components } from "../api/schema.ts";
import { EVERYTHING, Stream, type Connection, type Delta, type LogWindow, type Topic } from "../stream.ts";
import { paced } from "./pace.ts";

const GAPS = { least: 1000, most: 10_000, rest: 10 }; // ms, ms, and ten times as long as it took

/** What is known of the study that is followed: its newest delta, or why it is not there. */
export type Live = { delta: Delta | null; gone: string | null };

/** The newest row of each trial that changed lately, and the event as of which it is so. */
export type FreshRows = ReadonlyMap<number, { seq: number; row: components["schemas"]["TrialRow"] }>;

const MOST_FRESH = 500;
const NOTHING: Live = { delta: null, gone: null };
const NO_ROWS: FreshRows = new Map();

function freshened(before: FreshRows, delta: Delta): FreshRows {
  const changed = delta.changed ?? [];
  if (changed.length === 0) return before;
  const now = new Map(before.size > MOST_FRESH ? NO_ROWS : before);
  for (const row of changed) now.set(row.number, { seq: delta.seq, row });
  return now;
}

/** The page's stream, what components want of it, and what it said last. One for a page. */
class LiveFeed {
  readonly stream = new Stream();
  readonly wants = new Map<symbol, Partial<Topic>>();
  readonly studies = new Map<string, Live>();
  readonly fresh = new Map<string, FreshRows>();
  storeGone: string | null = null;
  queries: QueryClient | null = null;
  #listeners = new Set<() => void>();
  #invalid = new Map<string, () => void>();
  #planned = false;
  #opening = new Set<string>();

  constructor() {
    this.stream.on("delta", (delta) => {
      this.fresh.set(delta.study, freshened(this.fresh.get(delta.study) ?? NO_ROWS, delta));
      if (!this.studies.has(delta.study)) this.#opening.add(delta.study);
      this.#set(delta.study, { delta, gone: null });
      if (delta.ended) this.#hurry(["study", delta.study]); // how it ended is worth a whole drawing at once
      this.#stale(["study", delta.study]);
    });
    this.stream.on("reset", ({ study }) => {
      this.fresh.delete(study);
      this.#stale(["study", study]);
    });
    this.stream.on("gone", ({ study, why }) => {
      if (study === null) this.storeGone = why;
      else this.#set(study, { delta: null, gone: why });
      this.#stale(["studies"]);
      this.#changed();
    });
    this.stream.on("studies", ({ created, deleted }) => {
      this.storeGone = null;
      // Who watches a study that was deleted goes on to be told so, until there is one of that name again.
      for (const name of deleted) if (this.studies.get(name)?.gone == null) this.studies.delete(name);
      for (const name of created) if (this.studies.get(name)?.gone != null) this.studies.delete(name);
      this.#stale(["studies"]);
      this.#changed();
    });
    this.stream.onConnection(() => {
      if (this.stream.connection === "open") {
        this.storeGone = null;
        this.#invalid.clear(); // what failed while the server was away says nothing of how long answers take
      }
      // An EventSource does not say why it failed: a session that is over shows itself there.
      if (this.stream.connection === "waiting") void this.queries?.invalidateQueries({ queryKey: ["me"] });
      this.#changed();
    });
  }

  /** A component wants to hear of this until it says otherwise. */
  want(topic: Partial<Topic>): () => void {
    const who = Symbol("want");
    this.wants.set(who, topic);
    this.#plan();
    return () => {
      this.wants.delete(who);
      this.#plan();
    };
  }

  listen = (changed: () => void): (() => void) => {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  };

  /** The topic that has what all components want: a page shows one study, and one log of it. */
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      const topic: Topic = { ...EVERYTHING };
      for (const wanted of this.wants.values()) Object.assign(topic, wanted);
      this.stream.follow(this.wants.size === 0 ? null : topic);
    });
  }

  /**
   * Queries under that key are asked anew: once a second, and less often where the answers and the drawings take so
   * long that the page, and the server, would do little else.
   */
  #stale(key: readonly string[]): void {
    const name = JSON.stringify(key);
    let again = this.#invalid.get(name);
    if (again === undefined) {
      const ask = async () => {
        if (this.#isGone(key[1]) || this.#isAnswered(key[1])) return;
        await this.queries?.invalidateQueries({ queryKey: key });
        await idle();
      };
      again = paced(ask, GAPS, () => answered(this.queries, key));
      this.#invalid.set(name, again);
    }
    again();
  }

  /** The next time that queries under that key are to be asked anew, they are asked at once. */
  #hurry(key: readonly string[]): void {
    this.#invalid.delete(JSON.stringify(key));
  }

  /** Whether nobody would answer: what was known of the study last stays on the page. */
  #isGone(study: string | undefined): boolean {
    return study !== undefined && this.studies.get(study)?.gone != null;
  }

  /** Whether a page that was just opened has all that the first delta speaks of: it asked for it by itself. */
  #isAnswered(study: string | undefined): boolean {
    if (study === undefined || !this.#opening.delete(study)) return false;
    const detail = this.queries?.getQueryData<{ seq: number }>(["study", study, "detail"]);
    const delta = this.studies.get(study)?.delta;
    return detail !== undefined && delta != null && detail.seq >= delta.seq;
  }

  #set(study: string, live: Live): void {
    this.studies.set(study, live);
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

// When no question under that key waits for its answer: asking again would only call it off.
function answered(queries: QueryClient | null, queryKey: readonly string[]): Promise<void> {
  if (queries === null) return Promise.resolve();
  return new Promise((done) => {
    const look = () => {
      if (queries.isFetching({ queryKey }) > 0) return;
      stop();
      done();
    };
    const stop = queries.getQueryCache().subscribe(look);
    look();
  });
}

// When what there was to do is done, drawings too.
function idle(): Promise<void> {
  return new Promise((done) => {
    if ("requestIdleCallback" in window) window.requestIdleCallback(() => done(), { timeout: 2000 });
    else setTimeout(done, 100);
  });
}

let shared: LiveFeed | null = null;

function feed(): LiveFeed {
  shared ??= new LiveFeed();
  return shared;
}

function useWanted(topic: Partial<Topic> | null): void {
  const queries = useQueryClient();
  const text = JSON.stringify(topic);
  useEffect(() => {
    const { queries: before } = feed();
    if (before !== queries) feed().queries = queries;
    const wanted = JSON.parse(text) as Partial<Topic> | null;
    return wanted === null ? undefined : feed().want(wanted);
  }, [queries, text]);
}

/** How a study stands, and why it is gone if it is. Its queries are asked anew as it goes on. */
export function useLive(study: string): Live {
  useWanted({ study });
  return useSyncExternalStore(feed().listen, () => feed().studies.get(study) ?? NOTHING);
}

/** A study is followed, also while nothing of it is shown yet. */
export function useFollowing(study: string): void {
  useWanted({ study });
}

/** How a study stands, as it goes on; null until that is known. */
export function useDelta(study: string): Delta | null {
  return useLive(study).delta;
}

/** The newest rows of trials that changed lately: shown at once, before tables are asked for anew. */
export function useFreshRows(study: string): FreshRows {
  useWanted({ study });
  return useSyncExternalStore(feed().listen, () => feed().fresh.get(study) ?? NO_ROWS);
}

/** The list of studies is asked anew as any of them goes on. */
export function useStudiesLive(): void {
  useWanted({});
}

/** Calls `heard` for what a trial writes from now on; a part that is missing has to be asked for. */
export function useLog(
  study: string,
  trial: number | null,
  output: "stdout" | "stderr",
  heard: (window: LogWindow) => void,
): void {
  useWanted(trial === null ? null : { study, log: trial, output });
  const hear = useEffectEvent((window: LogWindow) => {
    if (window.trial === trial && window.stream === output) heard(window);
  });
  useEffect(() => feed().stream.on("log", (window) => hear(window)), []);
}

/** How the page's connection to the server is; `away`: why the store cannot be read, if so. */
export function useConnection(): { connection: Connection; away: string | null; retry: () => void } {
  const connection = useSyncExternalStore(feed().listen, () => feed().stream.connection);
  const away = useSyncExternalStore(feed().listen, () => feed().storeGone);
  return { connection, away, retry: () => feed().stream.retry() };
}
