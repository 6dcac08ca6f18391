import {
  Alert,
  Anchor,
  Badge,
  Button,
  Group,
  SimpleGrid,
  Skeleton,
  Stack,
  Tabs,
  Text,
  Title,
} from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useLocation, useParams } from "wouter";
import { read } from "../../api/client.ts";
import { seconds } from "../../plots/numbers.ts";
import { CopyAs } from "../../shared/copyas.tsx";
import { trialsTexts } from "../../shared/copytexts.ts";
import { Failure, Gone } from "../../shared/failure.tsx";
import { goalInWords, moment } from "../../shared/format.ts";
import { useLive } from "../../shared/live.ts";
import { reportedAt } from "../../shared/offline.ts";
import { StateBadge } from "../../shared/statebadge.tsx";
import { useTitle } from "../../shared/title.ts";
import { useUrlChoice } from "../../shared/urlstate.ts";
import { TrialActs } from "../act/trialacts.tsx";
import { plainText } from "./ansi.ts";
import { Attempts } from "./attempts.tsx";
import { Checkpoints } from "./checkpoints.tsx";
import { Decisions } from "./decisions.tsx";
import { Lineage } from "./lineage.tsx";
import { LogView } from "./log.tsx";
import { Metrics } from "./metrics.tsx";
import { Parameters } from "./parameters.tsx";
import { Section } from "./section.tsx";
import type { Detail } from "./types.ts";
import { Resources } from "./usage.tsx";
import { against, number, took } from "./words.ts";

const TABS = ["overview", "log", "decisions"] as const;
const GOING = new Set(["waiting", "running", "paused"]);

/** The page of one trial. */
export default function Trial() {
  const { study = "", number: text = "" } = useParams();
  const trial = Number(text);
  const query = useQuery({
    queryKey: ["study", study, "trial", trial, "detail"],
    queryFn: ({ signal }) =>
      read("/api/studies/{study}/trials/{number}", { path: { study, number: trial }, signal }),
    placeholderData: keepPreviousData,
    enabled: Number.isInteger(trial) && trial >= 0,
    // Memory and time of a running trial change without any event.
    refetchInterval: (state) => (state.state.data?.record.state === "running" ? 3000 : false),
  });
  const live = useLive(study);
  useTitle(`Trial ${text} of ${study}`);
  if (!Number.isInteger(trial) || trial < 0) {
    return <Failure error={new Error(`“${text}” is no number of a trial`)} />;
  }
  if (query.error !== null && query.data === undefined) {
    return (
      <Stack>
        <Failure error={query.error} onRetry={() => void query.refetch()} />
        <Anchor component={Link} href={`/studies/${encodeURIComponent(study)}`}>
          All trials of {study}
        </Anchor>
      </Stack>
    );
  }
  if (query.data === undefined) return <Skeleton height={400} aria-label="Loading the trial" />;
  const other = query.data.record.number !== trial || query.data.study !== study;
  return (
    <div aria-busy={other} style={{ opacity: other ? 0.5 : 1 }}>
      <div role="status">{live.gone !== null && <Gone mb="sm" />}</div>
      <Whole detail={query.data} />
    </div>
  );
}

function Whole({ detail }: { detail: Detail }) {
  const { record } = detail;
  const [tab, setTab] = useUrlChoice("tab", TABS, "overview");
  const now = useNow(detail);
  const running = took(detail, now);
  useTrialKeys(detail);
  const bad = record.state === "failed" ? record.error : null;
  return (
    <Stack gap="sm">
      <Head detail={detail} elapsed={running} />
      {(record.reason !== null || bad !== null) && (
        <Alert
          color={record.state === "failed" ? "red" : "gray"}
          variant="light"
          py={6}
          title={record.reason ?? undefined}
          data-testid="trial-why"
        >
          {bad !== null && (
            <Text
              size="xs"
              ff="monospace"
              mah={220}
              tabIndex={0}
              aria-label="The last it wrote"
              style={{ whiteSpace: "pre-wrap", overflow: "auto", overflowWrap: "anywhere" }}
            >
              {plainText(bad)}
            </Text>
          )}
        </Alert>
      )}
      <Tabs
        value={tab}
        onChange={(value) => setTab((value as typeof tab | null) ?? "overview", { push: true })}
        keepMounted={false}
      >
        <Tabs.List mb="sm">
          <Tabs.Tab value="overview">Overview</Tabs.Tab>
          {reportedAt() === null && <Tabs.Tab value="log">Output</Tabs.Tab>}
          <Tabs.Tab value="decisions">Decisions ({detail.decisions.length + detail.left_out})</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="overview">
          <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="sm" verticalSpacing="sm">
            <Stack gap="sm" miw={0}>
              <Parameters detail={detail} />
              <Resources detail={detail} now={running} />
              <Lineage detail={detail} />
            </Stack>
            <Stack gap="sm" miw={0}>
              <Metrics key={record.number} detail={detail} />
            </Stack>
          </SimpleGrid>
          <Stack gap="sm" mt="sm">
            <Notes detail={detail} />
            <Attempts detail={detail} />
            <Checkpoints detail={detail} />
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="log">
          <LogView key={`${detail.study}/${record.number}`} detail={detail} />
        </Tabs.Panel>
        <Tabs.Panel value="decisions">
          <Decisions detail={detail} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function Head({ detail, elapsed }: { detail: Detail; elapsed: number | null }) {
  const { study, record, metric, goal, of } = detail;
  const to = (trial: number) => `/studies/${encodeURIComponent(study)}/trials/${trial}`;
  const beside = against(detail);
  return (
    <Group justify="space-between" align="start" gap="xs">
      <div style={{ minWidth: 0 }}>
        <Anchor
          component={Link}
          href={`/studies/${encodeURIComponent(study)}`}
          size="sm"
          style={{ overflowWrap: "anywhere" }}
        >
          {study}
        </Anchor>
        <Group gap="sm" align="center">
          <Title order={1} size="h3">
            Trial {record.number}
          </Title>
          <StateBadge state={record.state} size="md" />
          {detail.tags.map((tag) => (
            <Badge key={tag} variant="default" tt="none" size="sm">
              {tag}
            </Badge>
          ))}
        </Group>
        <Text size="sm" data-testid="trial-value">
          {metric !== null && record.value !== null && (
            <>
              {metric} <strong>{number(record.value)}</strong>
              {goal !== null && <Text span c="dimmed">{` (${goalInWords(goal)})`}</Text>}
              {beside !== "" && `, ${beside}`}
            </>
          )}
          {metric !== null &&
            record.value === null &&
            (GOING.has(record.state) ? `no ${metric} yet` : `no ${metric} that counts`)}
          {metric === null &&
            Object.entries(record.values)
              .map(([name, value]) => `${name} ${number(value)}`)
              .join(", ")}
        </Text>
        <Text size="sm" c="dimmed">
          {[
            elapsed === null ? "" : seconds(elapsed),
            record.attempt === 0 ? "not started yet" : record.attempt > 1 ? `attempt ${record.attempt}` : "",
            record.steps === 1 ? "1 report" : `${record.steps.toLocaleString("en")} reports`,
            record.started === null ? "" : `began ${moment(record.started)}`,
          ]
            .filter((text) => text !== "")
            .join(" · ")}
        </Text>
      </div>
      <Group gap={6} align="start">
        <TrialActs study={study} trial={record.number} />
        <Group gap={6} h={30}>
          <Button.Group>
            <Step label="Previous trial" to={record.number > 0 ? to(record.number - 1) : null}>
              ←
            </Step>
            <Step label="Next trial" to={record.number + 1 < of ? to(record.number + 1) : null}>
              →
            </Step>
          </Button.Group>
          <CopyAs
            texts={trialsTexts(study, `number == ${record.number}`, "", window.location.origin)}
            of={`trial ${record.number}`}
          />
        </Group>
      </Group>
    </Group>
  );
}

function Step({ label, to, children }: { label: string; to: string | null; children: string }) {
  if (to === null) {
    return (
      <Button px="xs" variant="default" disabled aria-label={label}>
        {children}
      </Button>
    );
  }
  return (
    <Button
      component={Link}
      href={to}
      px="xs"
      variant="default"
      aria-label={label}
      title={`${label} (${children === "←" ? "[" : "]"})`}
    >
      {children}
    </Button>
  );
}

function Notes({ detail }: { detail: Detail }) {
  if (detail.notes === "") return null;
  return (
    <Section title="Notes" name="notes">
      <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        {detail.notes}
      </Text>
    </Section>
  );
}

/** The server's clock in Unix seconds, once a second while the trial runs. */
function useNow(detail: Detail): number {
  const running = detail.record.state === "running";
  const [skew] = useState(() => detail.clock - Date.now() / 1000);
  const [now, setNow] = useState(detail.clock);
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setNow(Date.now() / 1000 + skew), 1000);
    return () => clearInterval(timer);
  }, [running, skew]);
  return running ? Math.max(now, detail.clock) : detail.clock;
}

/** The keys [ and ] go to the neighbours. */
function useTrialKeys(detail: Detail): void {
  const [, go] = useLocation();
  const { study, record, of } = detail;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const at = event.target as HTMLElement | null;
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        at?.closest("input, textarea, select, [contenteditable]")
      ) {
        return;
      }
      const to = event.key === "[" ? record.number - 1 : event.key === "]" ? record.number + 1 : -1;
      if (to >= 0 && to < of)
        go(`/studies/${encodeURIComponent(study)}/trials/${to}${window.location.search}`);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [study, record.number, of, go]);
}
