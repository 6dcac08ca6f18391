import { Anchor, Badge, Button, Code, Collapse, Group, Stack, Text, UnstyledButton } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { CopyAs } from "../../shared/copyas.tsx";
import { Nothing, Section } from "./section.tsx";
import type { Deed, Detail } from "./types.ts";
import { after, tone, whyTexts } from "./words.ts";

const COLOURS = { good: "teal", bad: "red", asked: "violet", plain: "gray" } as const;
const FIRST_SHOWN = 100;

/** The story of the trial: what was decided and why, what happened in between, each with its data. */
export function Decisions({ detail }: { detail: Detail }) {
  const [all, setAll] = useState(false);
  const { decisions, left_out: left, study, record } = detail;
  const shown = all ? decisions : decisions.slice(-FIRST_SHOWN);
  const before = left + (decisions.length - shown.length);
  return (
    <Section
      title="What happened, and why"
      name="decisions"
      aside={<CopyAs texts={whyTexts(study, record.number, window.location.origin)} of="decisions" />}
    >
      {decisions.length === 0 && <Nothing>Nothing was decided on this trial yet.</Nothing>}
      {before > 0 && (
        <Group gap="xs" mb="xs">
          <Text size="xs" c="dimmed">
            showing the last {shown.length.toLocaleString("en")} of{" "}
            {(decisions.length + left).toLocaleString("en")}
          </Text>
          {!all && decisions.length > shown.length && (
            <Button size="compact-xs" variant="default" onClick={() => setAll(true)}>
              Show {decisions.length.toLocaleString("en")}
            </Button>
          )}
        </Group>
      )}
      <Stack gap={0} component="ol" style={{ listStyle: "none", margin: 0, padding: 0 }}>
        {shown.map((deed) => (
          <Told key={deed.seq} deed={deed} study={study} />
        ))}
      </Stack>
    </Section>
  );
}

function Told({ deed, study }: { deed: Deed; study: string }) {
  const [open, setOpen] = useState(false);
  const data = deed.data ?? {};
  const more = Object.keys(data).length > 0;
  return (
    <li
      data-event={deed.event}
      style={{ padding: "5px 0", borderTop: "1px solid var(--mantine-color-default-border)" }}
    >
      <Group gap="xs" wrap="nowrap" align="start">
        <Text size="xs" c="dimmed" w={86} style={{ flexShrink: 0 }} title={`event ${deed.seq} of the log`}>
          {after(deed.at)}
        </Text>
        <div style={{ minWidth: 0, flex: 1 }}>
          <Group gap={6}>
            <Badge
              size="sm"
              variant="light"
              tt="none"
              radius="sm"
              color={COLOURS[tone(deed)]}
              c="var(--mantine-color-text)"
            >
              {deed.event}
            </Badge>
            {deed.by !== "" && (
              <Text span size="xs" c="dimmed">
                by {deed.by}
              </Text>
            )}
          </Group>
          {deed.why !== "" && (
            <Text size="sm" style={{ overflowWrap: "anywhere" }}>
              <WithTrials text={deed.why} study={study} />
            </Text>
          )}
          {more && (
            <>
              <UnstyledButton
                fz="xs"
                c="dimmed"
                td="underline"
                aria-expanded={open}
                aria-label={`Data of event ${deed.seq}, ${deed.event}`}
                onClick={() => setOpen(!open)}
              >
                {open ? "hide the data" : "data"}
              </UnstyledButton>
              <Collapse expanded={open}>
                {open && (
                  <Code block fz={11} style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
                    {JSON.stringify(data, null, 1)}
                  </Code>
                )}
              </Collapse>
            </>
          )}
        </div>
      </Group>
    </li>
  );
}

/** A reason whose words `trial 7` and `trials 3, 7` lead to these trials. */
function WithTrials({ text, study }: { text: string; study: string }) {
  const parts: ReactNode[] = [];
  let from = 0;
  for (const found of text.matchAll(/\btrials? (\d{1,9}(?:, \d{1,9})*)/g)) {
    const list = found[1] ?? "";
    const begin = found.index + found[0].length - list.length;
    parts.push(text.slice(from, begin));
    list.split(", ").forEach((word, at) => {
      if (at > 0) parts.push(", ");
      parts.push(
        <Anchor
          key={`${begin}-${at}`}
          component={Link}
          size="sm"
          underline="always"
          href={`/studies/${encodeURIComponent(study)}/trials/${word}`}
        >
          {word}
        </Anchor>,
      );
    });
    from = begin + list.length;
  }
  return (
    <>
      {parts}
      {text.slice(from)}
    </>
  );
}
