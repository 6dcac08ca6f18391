import type { components } from "./api/schema.ts";

/** How a study stands, and which trials changed. */
export type Delta = components["schemas"]["Delta"];
/** What a log's program wrote. */
export type LogWindow = components["schemas"]["LogWindow"];
/** Which studies came, went, or went on. */
export type StudiesChanged = components["schemas"]["StudiesChanged"];
/** That a study, or the store (null), is not there now. */
export type Gone = components["schemas"]["Gone"];
/** That what was missed cannot be told. */
export type Reset = components["schemas"]["Reset"];

/** The events of the stream, by name. */
export type Events = {
  delta: Delta;
  studies: StudiesChanged;
  log: LogWindow;
  gone: Gone;
  reset: Reset;
};

/** What the page wants to hear of. */
export type Topic = { study: string | null; log: number | null; output: "stdout" | "stderr" };

/** How the connection is: `waiting` to try again, `resting` while nobody looks. */
export type Connection = "closed" | "connecting" | "open" | "waiting" | "resting";

/** The part of `EventSource` that is used. */
export type Source = {
  onopen: ((event: Event) => unknown) | null;
  onerror: ((event: Event) => unknown) | null;
  addEventListener(name: string, heard: (event: MessageEvent<string>) => void): void;
  close(): void;
};

/** What surrounds the stream: replaced in tests. */
export type World = {
  open: (address: string) => Source;
  later: (what: () => void, ms: number) => number;
  never: (timer: number) => void;
  random: () => number;
  /** Calls `changed` whenever somebody begins or ceases to look, or the network comes back; says whether one looks. */
  watch: (changed: (looking: boolean) => void) => boolean;
};

const SILENCE_MS = 40_000; // the server pings every 15 s: then the connection is dead, whatever the browser thinks
const REST_MS = 10_000; // a browser has six connections to a server: pages that nobody looks at give theirs back
const LONGEST_MS = 30_000;
const NAMES = ["delta", "studies", "log", "gone", "reset"] as const;

/** Nothing to hear of but the list of studies. */
export const EVERYTHING: Topic = { study: null, log: null, output: "stdout" };

/**
 * The page's one connection to the feed. It comes back by itself, says where it left off, and rests while nobody looks.
 */
export class Stream {
  #world: World;
  #source: Source | null = null;
  #topic: Topic | null = null;
  #last: string | null = null;
  #tries = 0;
  #timer: number | null = null;
  #watchdog: number | null = null;
  #looking: boolean;
  #connection: Connection = "closed";
  #heard = new Map<string, Set<(data: never) => void>>();
  #told = new Set<() => void>();

  constructor(world: World = browser()) {
    this.#world = world;
    this.#looking = world.watch((looking) => this.#looks(looking));
  }

  /** How the connection is now. */
  get connection(): Connection {
    return this.#connection;
  }

  /** Calls `changed` whenever the connection is another one; returns what ends that. */
  onConnection(changed: () => void): () => void {
    this.#told.add(changed);
    return () => this.#told.delete(changed);
  }

  /** Calls `heard` for each event of that name; returns what ends that. */
  on<K extends keyof Events>(name: K, heard: (data: Events[K]) => void): () => void {
    const all = this.#heard.get(name) ?? new Set();
    this.#heard.set(name, all);
    all.add(heard);
    return () => all.delete(heard);
  }

  /** The stream is about this from now on; null closes it. */
  follow(topic: Topic | null): void {
    const before = this.#topic;
    if (before !== null && topic !== null && address(before, null) === address(topic, null)) return;
    if (before?.study !== topic?.study) this.#last = null;
    this.#topic = topic;
    this.#tries = 0;
    this.#close();
    if (topic === null) this.#is("closed");
    else if (this.#looking) this.#connect();
    else this.#is("resting");
  }

  /** Tries again at once. */
  retry(): void {
    if (this.#topic === null || this.#connection !== "waiting") return;
    this.#close();
    this.#connect();
  }

  #connect(): void {
    if (this.#topic === null) return;
    const source = this.#world.open(address(this.#topic, this.#last));
    this.#source = source;
    this.#is("connecting");
    source.onopen = () => {
      this.#is("open");
      this.#lives();
    };
    source.onerror = () => this.#fails();
    source.addEventListener("ping", () => this.#lives());
    for (const name of NAMES) {
      source.addEventListener(name, (event) => {
        if (source !== this.#source) return;
        this.#lives();
        if (event.lastEventId) this.#last = event.lastEventId;
        if (name === "gone") this.#last = null;
        const data = JSON.parse(event.data) as never;
        for (const heard of this.#heard.get(name) ?? []) heard(data);
      });
    }
    this.#guard();
  }

  /** Something was heard: the connection is as it should be. */
  #lives(): void {
    this.#tries = 0;
    this.#is("open");
    this.#guard();
  }

  #guard(): void {
    if (this.#watchdog !== null) this.#world.never(this.#watchdog);
    this.#watchdog = this.#world.later(() => this.#fails(), SILENCE_MS);
  }

  /** The connection is gone: the next one is tried later, each time after longer, and not all pages at once. */
  #fails(): void {
    this.#close();
    this.#is("waiting");
    const wait = Math.min(LONGEST_MS, 500 * 2 ** this.#tries) * (0.75 + this.#world.random() / 2);
    this.#tries += 1;
    this.#timer = this.#world.later(() => this.#connect(), wait);
  }

  #looks(looking: boolean): void {
    this.#looking = looking;
    if (this.#topic === null) return;
    if (!looking) {
      if (this.#timer !== null) this.#world.never(this.#timer);
      this.#timer = this.#world.later(() => {
        this.#close();
        this.#is("resting");
      }, REST_MS);
      return;
    }
    this.#tries = 0;
    if (this.#source === null) {
      this.#close();
      this.#connect();
    } else if (this.#timer !== null) {
      this.#world.never(this.#timer);
      this.#timer = null;
    }
  }

  #close(): void {
    if (this.#timer !== null) this.#world.never(this.#timer);
    if (this.#watchdog !== null) this.#world.never(this.#watchdog);
    this.#timer = this.#watchdog = null;
    const source = this.#source;
    this.#source = null;
    if (source === null) return;
    source.onerror = source.onopen = null;
    source.close();
  }

  #is(connection: Connection): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    for (const changed of this.#told) changed();
  }
}

/** The address of the stream about a topic, from an event on. */
export function address(topic: Topic, last: string | null): string {
  const words = new URLSearchParams();
  if (topic.study !== null) words.set("study", topic.study);
  if (topic.study !== null && topic.log !== null) {
    words.set("log", String(topic.log));
    if (topic.output !== "stdout") words.set("output", topic.output);
  }
  if (last !== null) words.set("last", last);
  const text = words.toString();
  return text ? `/api/stream?${text}` : "/api/stream";
}

function browser(): World {
  return {
    open: (at) => new EventSource(at),
    later: (what, ms) => window.setTimeout(what, ms),
    never: (timer) => window.clearTimeout(timer),
    random: Math.random,
    watch: (changed) => {
      const look = () => changed(document.visibilityState === "visible");
      document.addEventListener("visibilitychange", look);
      window.addEventListener("online", look);
      window.addEventListener("pageshow", look);
      return document.visibilityState === "visible";
    },
  };
}
