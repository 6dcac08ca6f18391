import { Anchor, Group, Paper, Stack, Title, UnstyledButton } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { memo, type ReactNode } from "react";
import { Link } from "wouter";
import { read } from "../../api/client.ts";
import type { StudyDetail } from "../../shared/details.ts";
import { count, counted, duration, goalSign, number } from "../../shared/format.ts";
import { useDelta } from "../../shared/live.ts";
import { StateBadge, StateBar } from "../../shared/statebadge.tsx";
import { MEANING, stateColour, TRIAL_STATES } from "../../shared/states.ts";
import type { Delta } from "../../stream.ts";
import { StudyActs } from "../act/studyacts.tsx";
import "./study.css";

type HeaderProps = {
  detail: StudyDetail;
  /** Singles out the trials in a state. */
  onState: (state: string) => void;
};

/** How the study goes, at one glance, and what can be done about it. */
export const Header = memo(function Header({ detail, onState }: HeaderProps) {
  const delta = useDelta(detail.name);
  const state = delta?.state ?? detail.state;
  const counts = delta?.counts ?? detail.counts;
  const over = state === "complete" || state === "failed";
  return (
    <Paper component="header" withBorder p="sm">
      <Stack gap="sm">
        <Group justify="space-between" align="start" gap="sm">
          <Group gap="sm" align="center" style={{ minWidth: 0 }}>
            <Title order={1} size="h3" style={{ overflowWrap: "anywhere" }}>
              {detail.name}
            </Title>
            <span data-testid="study-state">
              <StateBadge state={state} size="md" />
            </span>
            {detail.archived && <span className="tag">archived</span>}
            {detail.tags.map((tag) => (
              <span key={tag} className="tag">
                {tag}
              </span>
            ))}
          </Group>
          <StudyActs study={detail.name} />
        </Group>
        <dl className="figures">
          <Best detail={detail} delta={delta} />
          <Trials detail={detail} delta={delta} />
          <Figure name="Ran for" value={duration(delta?.elapsed ?? detail.elapsed)} />
          {!over && <Figure name="Time left" testid="time-left" value={left(state, delta)} />}
          <Saved study={detail.name} />
          {!over && (
            <Figure name="Workers" testid="workers" value={workers(detail, state, counts.running ?? 0)} />
          )}
          {over && detail.reason !== null && <Figure name="Why it ended" value={detail.reason} />}
        </dl>
        <Stack gap={6}>
          <StateBar counts={counts} of={delta?.total ?? detail.budget.trials} />
          <Group gap={4} ml={-8} component="section" aria-label="Trials by state">
            {TRIAL_STATES.map((one) => (
              <UnstyledButton
                key={one}
                className="state-count"
                title={`${MEANING[one]}; click to select these`}
                disabled={!counts[one]}
                onClick={() => onState(one)}
              >
                <span className="dot" style={{ background: stateColour(one) }} aria-hidden />
                <b data-testid={`count-${one}`}>{count(counts[one] ?? 0)}</b> {one}
              </UnstyledButton>
            ))}
          </Group>
        </Stack>
      </Stack>
    </Paper>
  );
});

function Figure({
  name,
  value,
  testid,
  more,
}: {
  name: string;
  value: ReactNode;
  testid?: string;
  more?: ReactNode;
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span data-testid={testid}>{value}</span>
        {more && <span className="faint"> {more}</span>}
      </dd>
    </div>
  );
}

function Best({ detail, delta }: { detail: StudyDetail; delta: Delta | null }) {
  const [first] = detail.objectives;
  if (first === undefined) return <Figure name="Best" testid="best-value" value="no objective" />;
  if (detail.objectives.length > 1) {
    const found = detail.winners.length;
    return (
      <Figure name="Best" testid="best-value" value={counted(found, "trial")} more="on the Pareto front" />
    );
  }
  const [winner] = detail.winners;
  const best = delta === null ? winner : (delta.best ?? undefined);
  const trial = best?.number;
  const at = `/studies/${encodeURIComponent(detail.name)}/trials/${trial}`;
  return (
    <Figure
      name={`Best ${first.metric} ${goalSign(first.goal)}`}
      testid="best-value"
      value={best === undefined ? "–" : number(best.value)}
      more={
        trial !== undefined && (
          <Anchor component={Link} href={at} size="sm">
            trial {trial}
          </Anchor>
        )
      }
    />
  );
}

function Trials({ detail, delta }: { detail: StudyDetail; delta: Delta | null }) {
  const counts = delta?.counts ?? detail.counts;
  const total = delta?.total ?? detail.budget.trials;
  // A failed trial is no result, and takes nothing from the budget.
  const over = (counts.complete ?? 0) + (counts.pruned ?? 0);
  return (
    <Figure
      name="Trials evaluated"
      testid="trials-over"
      value={count(over)}
      more={total == null ? undefined : `of ${count(total)}`}
    />
  );
}

// The log is read for it once: it may come a little later than the rest.
const Saved = memo(function Saved({ study }: { study: string }) {
  const { data } = useQuery({
    queryKey: ["study", study, "views", "progress"],
    queryFn: ({ signal }) => read("/api/studies/{study}/views/progress", { path: { study }, signal }),
    placeholderData: keepPreviousData,
  });
  const work = data?.work ?? null;
  if (work === null || work.stopped === 0) return null;
  return (
    <Figure
      name="Work saved"
      testid="work-saved"
      value={`${Math.round(100 * work.share)} %`}
      more={`${counted(work.stopped, "trial")} ended early`}
    />
  );
});

function left(state: string, delta: Delta | null): ReactNode {
  if (delta === null || delta.left_s === null) return "–";
  return state === "running" ? `about ${duration(delta.left_s)}` : `${duration(delta.left_s)} of work`;
}

function workers(detail: StudyDetail, state: string, running: number): string {
  if (detail.runners.length === 0 || state === "interrupted") return "no runner";
  const all = detail.runners.reduce((sum, runner) => sum + runner.workers, 0);
  // A program that asks for its trials has no workers of ours.
  if (all === 0) return `${running} running`;
  const hosts = new Set(detail.runners.map((runner) => runner.host));
  return `${running} of ${all} busy${hosts.size > 1 ? ` on ${hosts.size} hosts` : ""}`;
}
