import { Alert, Button, Group, Skeleton, Stack, Tabs } from "@mantine/core";
import {
  lazy,
  memo,
  Suspense,
  useCallback,
  useDeferredValue,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { useLocation, useParams } from "wouter";
import { understood, withParts, written } from "../../plots/brushing.ts";
import { valueOfLabel } from "../../plots/categories.ts";
import { HoveredProvider, makeHovered } from "../../plots/hovered.ts";
import { WatchingProvider, type Watching } from "../../plots/watching.tsx";
import { useStudy, type StudyDetail } from "../../shared/details.ts";
import { Boundary, Failure, Gone } from "../../shared/failure.tsx";
import { useFollowing, useLive } from "../../shared/live.ts";
import { useTitle } from "../../shared/title.ts";
import { word } from "../../shared/querywords.ts";
import { changeWords, presentWord, useUrlChoice, useUrlState, type Step } from "../../shared/urlstate.ts";
import { FilterBox } from "./filterbox.tsx";
import { Header } from "./header.tsx";
import { useMask } from "./mask.ts";
import { Shortcuts, useShortcuts } from "./shortcuts.tsx";
import { TAB_WORDS, TABS, type Tab } from "./tabs.ts";
import type { ColumnInfo } from "./trialcells.ts";
import { useColumnInfos } from "./trialpages.ts";

const OTHERS_MS = 4000;
const LOAD = {
  overview: () => import("./overview.tsx"),
  curves: () => import("./curvestab.tsx"),
  space: () => import("./space.tsx"),
  objectives: () => import("./objectives.tsx"),
  schedule: () => import("./schedule.tsx"),
  table: () => import("./tabletab.tsx"),
  about: () => import("./about.tsx"),
};
const About = lazy(LOAD.about);
const CurvesTab = lazy(LOAD.curves);
const Objectives = lazy(LOAD.objectives);
const Overview = lazy(LOAD.overview);
const Schedule = lazy(LOAD.schedule);
const Space = lazy(LOAD.space);
const TableTab = lazy(LOAD.table);

// The first part's code comes while the study itself is asked for, not after it.
const first = word(window.location.search, "tab", "overview");
if (first in LOAD) void LOAD[first as keyof typeof LOAD]();

// The others follow when nothing else is to be done: they are there then, also where the server is not any more.
function useAllParts(): void {
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const load of Object.values(LOAD)) load().catch(() => undefined); // who wants that part hears of it
    }, OTHERS_MS);
    return () => clearTimeout(timer);
  }, []);
}

/** A study's own page: how it goes, why, and what to do about it. */
export default function Study() {
  const { study = "" } = useParams();
  const name = decodeURIComponent(study);
  const { data, error, refetch } = useStudy(name);
  useFollowing(name);
  useTitle(name);
  useAllParts();
  // What is known stays where asking anew fails: the server may be away for a moment, the study deleted.
  if (error && data === undefined) return <Failure error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Waiting />;
  return <Shown key={name} detail={data} />;
}

function Waiting() {
  return (
    <Stack aria-busy aria-label="Loading the study">
      <Skeleton height={150} />
      <Skeleton height={36} />
      <Skeleton height={360} />
    </Stack>
  );
}

function Shown({ detail }: { detail: StudyDetail }) {
  const [tab, setTab] = useUrlChoice<Tab>("tab", TAB_WORDS, "overview");
  const [where, setWhere] = useUrlState("where");
  const [sel, setSel] = useUrlState("sel");
  const [helping, setHelping] = useState(false);
  const [hovered] = useState(makeHovered);
  const field = useRef<HTMLInputElement>(null);
  const columns = useColumnInfos(detail.name);
  const selected = useMask(detail.name, sel);
  // The plots follow in pieces that leave room for frames: what a person does is answered first.
  const watching = useDeferredValue(useWatched(detail, columns, where, sel, selected.chosen));
  const selectState = useCallback(
    (state: string) =>
      setSel(written(withParts(understood(presentWord("sel")), { state: { among: [state] } }))),
    [setSel],
  );
  useShortcuts((wish) => {
    if (wish.kind === "tab") setTab(wish.tab, { push: true });
    else if (wish.kind === "filter") field.current?.focus();
    else if (wish.kind === "help") setHelping(true);
    else setSel("");
  });
  return (
    <HoveredProvider value={hovered}>
      <WatchingProvider value={watching}>
        <Stack gap="sm">
          <Fate detail={detail} />
          <Header detail={detail} onState={selectState} />
          <Group align="start" gap="xs">
            <div style={{ flex: "1 1 300px", minWidth: 0 }}>
              <FilterBox
                study={detail.name}
                where={where}
                onWhere={setWhere}
                sel={sel}
                onClear={() => setSel("")}
                selected={selected}
                columns={columns.map((column) => column.name)}
                field={field}
              />
            </div>
            <ShareLink />
          </Group>
          <Parts tab={tab} onTab={setTab} detail={detail} watching={watching} />
        </Stack>
        <Shortcuts opened={helping} onClose={() => setHelping(false)} />
      </WatchingProvider>
    </HoveredProvider>
  );
}

type PartsProps = {
  tab: Tab;
  onTab: (tab: Tab, step: Step) => void;
  detail: StudyDetail;
  watching: Watching;
};

const Parts = memo(function Parts({ tab, onTab, detail, watching }: PartsProps) {
  return (
    <Tabs
      value={tab}
      onChange={(value) => onTab((value ?? "overview") as Tab, { push: true })}
      keepMounted={false}
      className="study-tabs"
    >
      <Tabs.List aria-label="Parts of the page">
        {TABS.map((one) => (
          <Tabs.Tab key={one.value} value={one.value}>
            {one.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {TABS.map((one) => (
        <Tabs.Panel key={one.value} value={one.value} pt="sm">
          <Boundary of={one.value}>
            <Suspense fallback={<Skeleton height={360} />}>
              <Part tab={one.value} detail={detail} watching={watching} />
            </Suspense>
          </Boundary>
        </Tabs.Panel>
      ))}
    </Tabs>
  );
});

type PartProps = { tab: Tab; detail: StudyDetail; watching: Watching };

const Part = memo(function Part({ tab, detail, watching }: PartProps) {
  const { where, sel } = watching;
  if (tab === "overview") return <Overview where={where} sel={sel} />;
  if (tab === "curves") return <CurvesTab />;
  if (tab === "space") return <Space />;
  if (tab === "objectives") return <Objectives />;
  if (tab === "schedule") return <Schedule />;
  if (tab === "about") return <About detail={detail} />;
  return <TableTab study={detail.name} where={where} sel={sel} />;
});

function useWatched(
  detail: StudyDetail,
  columns: readonly ColumnInfo[],
  where: string,
  sel: string,
  chosen: Watching["chosen"],
): Watching {
  const [, go] = useLocation();
  // Not `detail` itself: it is new whenever a trial ends, and these are not.
  const { name, objectives: declared, parameters } = detail;
  return useMemo(() => {
    const selection = understood(sel);
    const objectives = declared.map((one) => one.metric);
    const named = columns.flatMap((one) => (one.group === "metrics" ? [one.label] : []));
    const values = new Map(parameters.map((one) => [one.name, one.values ?? []]));
    return {
      study: name,
      where,
      sel,
      objectives,
      metrics: [...new Set([...objectives, ...named])],
      parameters: parameters.filter((one) => one.type !== "constant").map((one) => one.name),
      valueOf: (parameter) => (label) => valueOfLabel(values.get(parameter) ?? [], label),
      selection,
      chosen,
      select: (changes) => changeWords({ sel: written(withParts(understood(presentWord("sel")), changes)) }),
      open: (trial) => go(`/studies/${encodeURIComponent(name)}/trials/${trial}`),
      look: (parameter) =>
        changeWords(
          { tab: "space", "slice.parameters": parameter.replace(/[\\,]/g, "\\$&") },
          { push: true },
        ),
    };
  }, [name, declared, parameters, columns, where, sel, chosen, go]);
}

/** What became of the study while somebody watched. */
function Fate({ detail }: { detail: StudyDetail }) {
  const live = useLive(detail.name);
  const [seen, setSeen] = useState(false);
  const ended = live.delta?.ended ?? false;
  if (live.delta !== null && !ended && !seen) setSeen(true);
  return (
    <div role="status" className="fate">
      {live.gone !== null && <Gone />}
      {seen && ended && live.gone === null && (
        <Alert
          color="petrol"
          variant="light"
          title="The study is over"
          data-testid="study-ended"
          withCloseButton
          closeButtonLabel="Close"
          onClose={() => setSeen(false)}
        >
          It ended while you were watching{detail.reason === null ? "" : `: ${detail.reason}`}.
        </Alert>
      )}
    </div>
  );
}

// The address is the view: whoever opens it sees the same.
function ShareLink() {
  const [copied, setCopied] = useState(false);
  if (navigator.clipboard === undefined) return null; // outside a secure context; the address bar has it
  const copy = async () => {
    await navigator.clipboard.writeText(window.location.href);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <Button variant="default" onClick={() => void copy()}>
      {copied ? "Copied" : "Copy link"}
    </Button>
  );
}
