import { Alert, Button, Group, Text } from "@mantine/core";
import { columnPinningFeature, columnResizingFeature, columnSizingFeature } from "@tanstack/react-table";
import { tableFeatures, useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useDeferredValue, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { CSSProperties, KeyboardEvent, MouseEvent, RefObject } from "react";
import { Link, useLocation } from "wouter";
import { address } from "../../api/client.ts";
import { both } from "../../plots/brushing.ts";
import { useHovered } from "../../plots/hovered.ts";
import { CopyAs } from "../../shared/copyas.tsx";
import { trialsTexts } from "../../shared/copytexts.ts";
import { count, counted } from "../../shared/format.ts";
import { stateColour } from "../../shared/states.ts";
import { useUrlList, useUrlState } from "../../shared/urlstate.ts";
import { ColumnPicker } from "./columnpicker.tsx";
import {
  cellText,
  isNumeric,
  nextSort,
  PINNED,
  placeOf,
  shownColumns,
  sorted,
  usualWidth,
} from "./trialcells.ts";
import type { ColumnInfo, TrialRow } from "./trialcells.ts";
import { useColumnInfos, useTrialRows, type Rows } from "./trialpages.ts";
import styles from "./trialtable.module.css";

const ROW = 30; // pixels, as in the style sheet
const HEADS = 34;
const SPARE = 16; // for a scroll bar below the rows
const STEP = 16; // pixels that a key makes a column wider

const features = tableFeatures({ columnPinningFeature, columnSizingFeature, columnResizingFeature });
const NO_DATA: TrialRow[] = [];
const PINNED_HERE = { start: [...PINNED], end: [] };

type TrialTableProps = {
  study: string;
  /** Which trials the page shows. */
  where: string;
  /** Which of them are singled out: the table shows only these. */
  sel: string;
  /** Singles out the trials of this expression. */
  onSelect?: (sel: string) => void;
};

type Place = { info: ColumnInfo; width: number; left: number | null; edge: boolean };

/** The trials of a study, a window of them at a time: any column, any order, as many rows as there are. */
export function TrialTable({ study, where, sel, onSelect }: TrialTableProps) {
  const [sort, setSort] = useUrlState("sort");
  const [chosen, setChosen] = useUrlList("cols");
  const infos = useColumnInfos(study);
  const expression = both(where, sel);
  const shown = useMemo(() => shownColumns(infos, chosen), [infos, chosen]);
  const names = shown.map((info) => info.name);

  const frame = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<number | null>(null);
  const [picked, setPicked] = useState<ReadonlySet<number>>(new Set());
  const [length, setLength] = useState(0);
  // eslint-disable-next-line react-hooks/incompatible-library -- no compiler is used, and nothing of it is memoized
  const virtual = useVirtualizer({
    count: length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    overscan: 6,
    scrollMargin: HEADS,
    scrollPaddingStart: HEADS,
  });
  const items = virtual.getVirtualItems();
  const range = `${items[0]?.index ?? 0} ${items.at(-1)?.index ?? 0}`;
  const [first = 0, last = 0] = useDeferredValue(range).split(" ").map(Number);
  const rows = useTrialRows(study, expression, sort, first, Math.max(last, first));
  if (rows.total !== null && rows.total !== length) setLength(rows.total);

  const columns = useColumnPlaces(shown);
  const texts = trialsTexts(study, expression, sort, window.location.origin);
  const csv = address(
    "/api/studies/{study}/trials.csv",
    { study },
    { where: expression, sort, columns: names.join(",") },
  );
  useAnchor(frame, rows.pages, `${expression}\n${sort}`);
  useSharedHover(frame);
  const [, navigate] = useLocation();
  const place = (trial: number) => `/studies/${encodeURIComponent(study)}/trials/${trial}`;

  const pick = (trial: number) => {
    const now = new Set(picked);
    if (!now.delete(trial)) now.add(trial);
    setPicked(now);
  };
  const press = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || length === 0) return;
    const page = Math.max(1, Math.floor(((frame.current?.clientHeight ?? 300) - HEADS) / ROW) - 1);
    const to = destination(event.key, active, length, page, first);
    const trial = active === null ? undefined : rows.row(active)?.number;
    if (to !== null) {
      setActive(to);
      virtual.scrollToIndex(to, { align: "auto" });
    } else if (event.key === "Enter" && trial !== undefined) navigate(place(trial));
    else if (event.key === " " && trial !== undefined) pick(trial);
    else return;
    event.preventDefault();
  };
  const click = (event: MouseEvent, row: TrialRow) => {
    if (event.target instanceof Element && event.target.closest("a") !== null) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) pick(row.number);
    else if (window.getSelection()?.isCollapsed ?? true) navigate(place(row.number));
  };
  const activeTrial = active === null ? undefined : rows.row(active)?.number;

  return (
    <section aria-label="Trials" data-testid="trialtable">
      <Group justify="space-between" mb={6} gap="xs">
        <Text size="sm" data-testid="trialcount" role="status">
          {rows.total !== null ? said(rows.total, rows.of) : rows.error === null ? "Loading…" : ""}
        </Text>
        <Group gap={6}>
          {picked.size > 0 && (
            <>
              <Text size="xs">{count(picked.size)} picked</Text>
              {onSelect !== undefined && (
                <Button
                  size="compact-xs"
                  variant="light"
                  onClick={() => onSelect(`number in [${[...picked].sort((a, b) => a - b).join(", ")}]`)}
                >
                  Show in all plots
                </Button>
              )}
              <Button size="compact-xs" variant="subtle" onClick={() => setPicked(new Set())}>
                Let go
              </Button>
            </>
          )}
          <ColumnPicker infos={infos} shown={names} onShown={setChosen} />
          <Button size="compact-xs" variant="default" component="a" href={csv} download>
            CSV
          </Button>
          <CopyAs texts={texts} of="the trials" />
        </Group>
      </Group>
      {rows.error !== null && (
        <Alert color="red" mb={6} role="alert">
          {rows.error.message}
        </Alert>
      )}
      <div
        ref={frame}
        className={styles.frame}
        style={rows.total === null ? undefined : { maxHeight: HEADS + Math.max(3, length) * ROW + SPARE }}
        role="grid"
        tabIndex={0}
        aria-label={`Trials of ${study}`}
        aria-rowcount={length + 1}
        aria-colcount={columns.places.length}
        aria-activedescendant={activeTrial === undefined ? undefined : `trial-${activeTrial}`}
        aria-busy={rows.loading}
        data-testid="trialgrid"
        onKeyDown={press}
      >
        <div className={styles.heads} role="row" aria-rowindex={1} style={{ width: columns.width }}>
          {columns.heads.map((head) => (
            <div
              key={head.info.name}
              role="columnheader"
              aria-sort={sorted(sort, head.info.name)}
              className={classes(styles.head, head)}
              style={{ width: head.width, left: head.left ?? undefined }}
            >
              <button
                type="button"
                className={styles.sort}
                title={title(head.info)}
                onClick={() => setSort(nextSort(sort, head.info.name))}
              >
                <span>{head.info.label}</span>
                <span aria-hidden>{arrow(sort, head.info.name)}</span>
              </button>
              <button
                type="button"
                className={styles.grip}
                aria-label={`Width of ${head.info.label}`}
                title="Drag, or press the left and right arrows"
                data-active={head.resizing || undefined}
                onMouseDown={head.resize}
                onTouchStart={head.resize}
                onKeyDown={(event) => {
                  const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
                  if (step === undefined) return;
                  event.preventDefault();
                  columns.widen(head.info.name, head.width + step);
                }}
              />
            </div>
          ))}
        </div>
        <div style={{ height: virtual.getTotalSize(), width: columns.width }}>
          {items.map((item) => (
            <Line
              key={item.key}
              index={item.index}
              top={item.start}
              row={rows.row(item.index)}
              columns={columns.places}
              width={columns.width}
              active={item.index === active}
              picked={picked.has(rows.row(item.index)?.number ?? -1)}
              place={place}
              onClick={click}
            />
          ))}
          {rows.total === 0 && (
            <p className={styles.nothing}>
              {rows.of === 0
                ? "No trials yet: they appear here as they start."
                : "No trial matches the filter and the selection: clear one of them to see more."}
            </p>
          )}
        </div>
      </div>
    </section>
  );
}

type LineProps = {
  index: number;
  top: number;
  row: TrialRow | undefined;
  columns: readonly Place[];
  width: number;
  active: boolean;
  picked: boolean;
  place: (trial: number) => string;
  onClick: (event: MouseEvent, row: TrialRow) => void;
};

const Line = memo(
  function Line({ index, top, row, columns, width, active, picked, place, onClick }: LineProps) {
    return (
      <div
        role="row"
        id={row === undefined ? undefined : `trial-${row.number}`}
        aria-rowindex={index + 2}
        aria-selected={picked}
        data-trial={row?.number}
        data-active={active || undefined}
        data-picked={picked || undefined}
        className={styles.row}
        style={{ transform: `translateY(${top}px)`, width }}
        onClick={row === undefined ? undefined : (event) => onClick(event, row)}
      >
        {columns.map(({ info, width: wide, left, edge }) => {
          const text = row === undefined ? "" : cellText(row, info);
          return (
            <div
              key={info.name}
              role="gridcell"
              className={classes(styles.cell, { info, left, edge })}
              style={{ width: wide, left: left ?? undefined }}
              title={text.length > 12 ? text : undefined}
            >
              {row === undefined ? (
                <span className={styles.waiting} />
              ) : info.name === "state" ? (
                <span className={styles.state} style={{ "--colour": stateColour(text) } as CSSProperties}>
                  {text}
                </span>
              ) : info.name === "number" ? (
                <Link className={styles.link} href={place(row.number)} tabIndex={-1}>
                  {text}
                </Link>
              ) : (
                text
              )}
            </div>
          );
        })}
      </div>
    );
  },
  (before, now) =>
    before.row === now.row &&
    before.top === now.top &&
    before.columns === now.columns &&
    before.active === now.active &&
    before.picked === now.picked,
);

type Head = Place & { resizing: boolean; resize: (event: unknown) => void };

/** Where columns stand and how wide they are, which one may drag. */
function useColumnPlaces(shown: readonly ColumnInfo[]) {
  const columns = useMemo(
    () => shown.map((info) => ({ id: info.name, size: usualWidth(info), minSize: 48, maxSize: 900 })),
    [shown],
  );
  const table = useTable({
    features,
    columns,
    data: NO_DATA,
    columnResizeMode: "onChange",
    initialState: { columnPinning: PINNED_HERE },
  });
  const { columnSizing, columnResizing } = table.state;
  const known = new Map(shown.map((info) => [info.name, info]));
  const heads: Head[] = (table.getHeaderGroups()[0]?.headers ?? []).flatMap((header) => {
    const info = known.get(header.column.id);
    if (info === undefined) return [];
    const pinned = PINNED.includes(info.name);
    return [
      {
        info,
        width: header.getSize(),
        left: pinned ? header.getStart("start") : null,
        edge: info.name === PINNED.at(-1),
        resizing: columnResizing.isResizingColumn === info.name,
        resize: header.getResizeHandler(),
      },
    ];
  });
  const widths = heads.map(({ width }) => width).join();
  const places = useMemo(
    () => heads.map(({ info, width, left, edge }): Place => ({ info, width, left, edge })),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `heads` is new each time, and says no more than these
    [shown, widths],
  );
  return {
    heads,
    places,
    width: table.getTotalSize(),
    widen: (name: string, width: number) =>
      table.setColumnSizing({ ...columnSizing, [name]: Math.min(900, Math.max(48, width)) }),
  };
}

/** What one looks at stays in place when rows come before it; at the top, where news appear, nothing is held. */
function useAnchor(frame: RefObject<HTMLDivElement | null>, pages: Rows["pages"], table: string) {
  const held = useRef<{ table: string; trial: number; index: number } | null>(null);
  useLayoutEffect(() => {
    const here = frame.current;
    if (here === null) return;
    const before = held.current;
    if (before !== null && before.table === table && here.scrollTop > ROW) {
      const now = placeOf(before.trial, before.index, pages);
      if (now !== null && now !== before.index) here.scrollBy({ top: (now - before.index) * ROW });
    }
    const hold = () => {
      const index = Math.ceil(here.scrollTop / ROW);
      const page = pages.find(({ offset, rows }) => index >= offset && index < offset + rows.length);
      const row = page?.rows[index - page.offset];
      held.current = row === undefined ? null : { table, trial: row.number, index };
    };
    hold();
    here.addEventListener("scroll", hold, { passive: true });
    return () => here.removeEventListener("scroll", hold);
  }, [frame, pages, table]);
}

/** The trial under the pointer is that of all plots: theirs is shown here, and this one there. */
function useSharedHover(frame: RefObject<HTMLDivElement | null>) {
  const hovered = useHovered();
  useEffect(() => {
    const here = frame.current;
    if (here === null) return;
    const over = (event: Event) => {
      const line = event.target instanceof Element ? event.target.closest("[data-trial]") : null;
      hovered.set(line === null ? null : Number(line.getAttribute("data-trial")));
    };
    const out = () => hovered.set(null);
    here.addEventListener("mouseover", over);
    here.addEventListener("mouseleave", out);
    const end = hovered.listen((trial) => {
      for (const line of here.querySelectorAll("[data-hovered]")) line.removeAttribute("data-hovered");
      if (trial !== null) here.querySelector(`[data-trial="${trial}"]`)?.setAttribute("data-hovered", "");
    });
    return () => {
      here.removeEventListener("mouseover", over);
      here.removeEventListener("mouseleave", out);
      end();
    };
  }, [frame, hovered]);
}

function destination(
  key: string,
  active: number | null,
  length: number,
  page: number,
  first: number,
): number | null {
  const from = active ?? first - 1;
  const steps: Record<string, number> = {
    ArrowDown: from + 1,
    ArrowUp: from - 1,
    PageDown: from + page,
    PageUp: from - page,
    Home: 0,
    End: length - 1,
  };
  const to = steps[key];
  return to === undefined ? null : Math.min(length - 1, Math.max(0, to));
}

function said(total: number, of: number): string {
  return total === of ? counted(of, "trial") : `${count(total)} of ${counted(of, "trial")}`;
}

function arrow(sort: string, name: string): string {
  return { ascending: "↑", descending: "↓", none: "" }[sorted(sort, name)];
}

function title(info: ColumnInfo): string {
  return info.name === "value" ? "Sort: the best first" : `Sort by ${info.name}`;
}

function classes(
  base: string | undefined,
  place: { info: ColumnInfo; left: number | null; edge: boolean },
): string {
  const right = isNumeric(place.info) ? styles.right : "";
  return [base, right, place.left === null ? "" : styles.pinned, place.edge ? styles.edge : ""].join(" ");
}
