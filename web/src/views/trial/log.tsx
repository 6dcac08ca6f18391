import { Alert, Button, Group, NativeSelect, Switch, Text, TextInput } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type FormEvent } from "react";
import { read } from "../../api/client.ts";
import { CopyAs } from "../../shared/copyas.tsx";
import { useUrlChoice, useUrlFlag, useUrlState } from "../../shared/urlstate.ts";
import { parsed, PLAIN, type Look } from "./ansi.ts";
import { LogLine } from "./logline.tsx";
import { bounds, lineAt, lines, type Line } from "./logtext.ts";
import { Nothing, Section } from "./section.tsx";
import type { Detail } from "./types.ts";
import { useLog } from "./uselog.ts";
import { logTexts, size } from "./words.ts";
import "./trial.css";

const ROW = 18;
const NEAR = 300; // pixels from either end at which more is loaded

type Found = { text: string; offsets: number[]; searched: number; at: number };

/** What the trial's program writes: its end is followed, all of it can be gone through and searched. */
export function LogView({ detail }: { detail: Detail }) {
  const { study, record, attempts } = detail;
  const [chosen, setChosen] = useUrlState("attempt");
  const [stream, setStream] = useUrlChoice("stream", ["stdout", "stderr"], "stdout");
  const [wrap, setWrap] = useUrlFlag("wrap");
  const [follow, setFollow] = useState(true);
  const wanted = Number(chosen);
  const attempt =
    chosen !== "" && Number.isInteger(wanted) && wanted >= 1 && wanted <= record.attempt ? wanted : null;
  const which = { study, trial: record.number, attempt, stream };
  const live = record.state === "running" || record.state === "waiting" || record.state === "paused";
  const { log, later, earlier, around, toEnd } = useLog(which, follow, live);
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState("");
  const { said } = log;

  async function search(text: string, from: Found | null) {
    setError("");
    try {
      const answer = await read("/api/studies/{study}/trials/{number}/log", {
        path: { study, number: record.number },
        query: {
          search: text,
          stream,
          offset: from?.searched ?? 0,
          ...(attempt === null ? {} : { attempt }),
        },
      });
      const offsets = [...(from?.offsets ?? []), ...(answer.matches ?? []).map((match) => match.offset)];
      const at = from === null ? 0 : Math.min(from.offsets.length, offsets.length - 1);
      setFound({ text, offsets, searched: answer.next, at });
      if (offsets.length > 0) await go(offsets[at] ?? 0);
    } catch (refusal) {
      setError((refusal as Error).message);
    }
  }

  async function go(offset: number) {
    setFollow(false);
    await around(offset);
  }

  async function step(by: number) {
    if (found === null || found.offsets.length === 0) return;
    const at = (found.at + by + found.offsets.length) % found.offsets.length;
    setFound({ ...found, at });
    await go(found.offsets[at] ?? 0);
  }

  const current = found?.offsets[found.at];
  return (
    <Section
      title="Output"
      name="log"
      aside={
        <CopyAs texts={logTexts(study, record.number, attempt, stream, window.location.origin)} of="output" />
      }
    >
      <Group gap="sm" mb="xs" align="end">
        {attempts.length > 1 && (
          <NativeSelect
            size="xs"
            label="Attempt"
            value={attempt ?? ""}
            data={[
              { value: "", label: `${record.attempt} (the last)` },
              ...Array.from({ length: record.attempt - 1 }, (_, at) => String(record.attempt - 1 - at)),
            ]}
            onChange={(event) => {
              setFound(null);
              setChosen(event.currentTarget.value);
            }}
          />
        )}
        <NativeSelect
          size="xs"
          label="Stream"
          value={stream}
          data={[
            { value: "stdout", label: `stdout${streamSize(said, "stdout")}` },
            { value: "stderr", label: `stderr${streamSize(said, "stderr")}` },
          ]}
          onChange={(event) => {
            setFound(null);
            setStream(event.currentTarget.value as "stdout" | "stderr");
          }}
        />
        <Search
          found={found}
          size={said?.size ?? 0}
          onSearch={search}
          onStep={step}
          onClear={() => setFound(null)}
        />
        <Switch
          size="xs"
          label={live ? "Follow" : "At the end"}
          checked={follow}
          onChange={(event) => {
            setFollow(event.currentTarget.checked);
            if (event.currentTarget.checked) void toEnd();
          }}
        />
        <Switch
          size="xs"
          label="Wrap"
          checked={wrap}
          onChange={(event) => setWrap(event.currentTarget.checked)}
        />
      </Group>
      {(error !== "" || log.error !== null) && (
        <Alert color="red" variant="light" mb="xs" role="alert">
          {error || log.error?.message}
        </Alert>
      )}
      {said !== null && said.missing !== null && said.missing !== undefined ? (
        <Nothing>{said.missing}.</Nothing>
      ) : (
        <Text size="xs" c="dimmed" aria-live="polite">
          {said === null
            ? "loading"
            : said.size === 0
              ? said.ended
                ? "It wrote nothing here."
                : "It has written nothing here yet."
              : standing(bounds(log.stretch), said.size)}
        </Text>
      )}
      <Lines
        log={log.stretch}
        follow={follow}
        wrap={wrap}
        sought={found?.text ?? ""}
        current={current ?? null}
        onTop={() => void earlier()}
        onBottom={() => void later()}
        onLeave={() => setFollow(false)}
        label={`${stream} of trial ${record.number}`}
      />
    </Section>
  );
}

function streamSize(said: { stream: string; size: number; other: number } | null, stream: string): string {
  if (said === null) return "";
  return ` (${size(said.stream === stream ? said.size : said.other)})`;
}

function standing({ begin, end }: { begin: number; end: number }, all: number): string {
  if (begin === 0 && end >= all) return size(all);
  const share = (at: number) => `${Math.round((100 * at) / Math.max(1, all))} %`;
  return `${size(all)}; here: ${share(begin)} to ${share(end)}, more as you scroll`;
}

function Search(props: {
  found: Found | null;
  size: number;
  onSearch: (text: string, from: Found | null) => Promise<void>;
  onStep: (by: number) => Promise<void>;
  onClear: () => void;
}) {
  const [text, setText] = useState("");
  const { found } = props;
  const rest = found !== null && found.searched < props.size;
  function submit(event: FormEvent) {
    event.preventDefault();
    if (text === "") props.onClear();
    else if (found !== null && found.text === text) void props.onStep(1);
    else void props.onSearch(text, null);
  }
  return (
    <form onSubmit={submit} role="search">
      <Group gap={4} align="end">
        <TextInput
          size="xs"
          label="Search"
          placeholder="text"
          maxLength={200}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            if (event.currentTarget.value === "") props.onClear();
          }}
        />
        <Button type="submit" size="xs" variant="default">
          {found !== null && found.text === text && text !== "" ? "Next" : "Find"}
        </Button>
        {found !== null && (
          <>
            <Button
              size="xs"
              variant="default"
              disabled={found.offsets.length < 2}
              onClick={() => void props.onStep(-1)}
              aria-label="Previous match"
            >
              Previous
            </Button>
            <Text size="xs" role="status">
              {found.offsets.length === 0
                ? "not found"
                : `${found.at + 1} of ${found.offsets.length.toLocaleString("en")}${rest ? " so far" : ""}`}
            </Text>
            {rest && (
              <Button
                size="compact-xs"
                variant="subtle"
                onClick={() => void props.onSearch(found.text, found)}
              >
                Search on
              </Button>
            )}
          </>
        )}
      </Group>
    </form>
  );
}

/** How each line begins to look, because colours go on over its end. */
function looksOf(all: readonly Line[]): Look[] {
  let look = PLAIN;
  return all.map(({ text }) => {
    const begin = look;
    if (text.includes("\u001b") || text.includes("\u009b")) look = parsed(text, look).end;
    return begin;
  });
}

type LinesProps = {
  log: Parameters<typeof lines>[0];
  follow: boolean;
  wrap: boolean;
  sought: string;
  current: number | null;
  label: string;
  onTop: () => void;
  onBottom: () => void;
  onLeave: () => void;
};

function Lines(props: LinesProps) {
  const { log, follow, wrap, current } = props;
  const box = useRef<HTMLDivElement>(null);
  const all = useMemo(() => lines(log), [log]);
  const looks = useMemo(() => looksOf(all), [all]);
  const begin = bounds(log).begin;
  const before = useRef({ begin, count: all.length });
  // eslint-disable-next-line react-hooks/incompatible-library -- its functions are called anew at each drawing
  const virtual = useVirtualizer({
    count: all.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 30,
  });
  const line = current === null ? -1 : lineAt(log, current);

  useLayoutEffect(() => {
    const element = box.current;
    const last = before.current;
    before.current = { begin, count: all.length };
    if (element === null) return;
    // What was loaded above must not move what is read.
    if (begin < last.begin && line < 0) element.scrollTop += Math.max(0, all.length - last.count) * ROW;
    else if (follow) element.scrollTop = element.scrollHeight;
  }, [begin, all.length, follow, log, line]);

  useEffect(() => {
    if (line >= 0) virtual.scrollToIndex(line, { align: "center" });
    // Only another match is a reason to move.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [line, current]);

  return (
    <div
      ref={box}
      className="log"
      role="log"
      aria-label={props.label}
      aria-live="off"
      tabIndex={0}
      data-wrap={wrap || undefined}
      data-testid="log-lines"
      onScroll={(event) => {
        const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
        if (scrollTop < NEAR && begin > 0) props.onTop();
        if (scrollHeight - scrollTop - clientHeight < NEAR && !follow) props.onBottom();
      }}
      onWheel={(event) => {
        if (event.deltaY < 0 && follow) props.onLeave();
      }}
      onKeyDown={(event) => {
        if (["ArrowUp", "PageUp", "Home"].includes(event.key) && follow) props.onLeave();
      }}
      onTouchMove={() => {
        if (follow) props.onLeave();
      }}
    >
      <div style={{ position: "relative", height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => (
          <div
            key={item.key}
            data-index={item.index}
            ref={wrap ? virtual.measureElement : undefined}
            className="log-line"
            data-current={item.index === line || undefined}
            style={{ transform: `translateY(${item.start}px)` }}
          >
            <LogLine
              text={all[item.index]?.text ?? ""}
              look={looks[item.index] ?? PLAIN}
              sought={props.sought}
            />
          </div>
        ))}
      </div>
    </div>
  );
}
