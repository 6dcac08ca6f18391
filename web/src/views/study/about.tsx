import {
  Alert,
  Anchor,
  Code,
  Group,
  Paper,
  ScrollArea,
  SimpleGrid,
  Stack,
  Table,
  Text,
  Title,
} from "@mantine/core";
import { Link } from "wouter";
import type { ReactNode } from "react";
import { CopyAs } from "../../shared/copyas.tsx";
import { studyTexts } from "../../shared/copytexts.ts";
import type { StudyDetail } from "../../shared/details.ts";
import { capitalized, duration, goalInWords, moment, plain } from "../../shared/format.ts";

/** What the study is: what it searches, by which code, and every change since it began. */
export default function About({ detail }: { detail: StudyDetail }) {
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={2} size="h4">
          About this study
        </Title>
        <CopyAs texts={studyTexts(detail.name, window.location.origin)} of="the study" />
      </Group>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Facts detail={detail} />
        <CodeVersion detail={detail} />
      </SimpleGrid>
      <Space detail={detail} />
      <Changes detail={detail} />
      <Section title="Specification">
        <ScrollArea.Autosize
          mah={420}
          type="auto"
          viewportProps={{ tabIndex: 0, "aria-label": "Specification" }}
        >
          <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
            {JSON.stringify(detail.spec, null, 2)}
          </Code>
        </ScrollArea.Autosize>
      </Section>
    </Stack>
  );
}

function Section({ title, children, testid }: { title: string; children: ReactNode; testid?: string }) {
  return (
    <Paper
      component="section"
      withBorder
      p="sm"
      aria-label={title}
      data-testid={testid}
      style={{ minWidth: 0 }}
    >
      <Title order={3} size="h5" mb={6}>
        {title}
      </Title>
      {children}
    </Paper>
  );
}

function Rows({ rows }: { rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <Table verticalSpacing={3} withRowBorders={false}>
      <Table.Tbody>
        {rows
          .filter(([, value]) => value !== "" && value !== null && value !== undefined)
          .map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" w={130} c="dimmed" fw={400} style={{ verticalAlign: "top" }}>
                {name}
              </Table.Th>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{value}</Table.Td>
            </Table.Tr>
          ))}
      </Table.Tbody>
    </Table>
  );
}

function Facts({ detail }: { detail: StudyDetail }) {
  const { budget } = detail;
  const limits = [
    budget.trials == null ? "" : `${budget.trials.toLocaleString("en")} trials`,
    budget.time_s == null ? "" : duration(budget.time_s),
    budget.cost == null ? "" : `cost ${plain(budget.cost)}`,
    budget.target == null ? "" : `until ${plain(budget.target)}`,
  ].filter(Boolean);
  return (
    <Section title="Search">
      <Rows
        rows={[
          [
            "Objectives",
            detail.objectives.map((one) => `${goalInWords(one.goal)} ${one.metric}`).join(", ") || "none",
          ],
          ["Must hold", detail.outcomes.map(bound).join(", ")],
          ["Searcher", detail.search],
          ["Schedule", detail.schedule],
          ["Budget", limits.join(", ") || "no limit"],
          ["Workers", detail.workers],
          ["Seed", detail.seed],
          ["Deterministic", detail.deterministic ? "yes" : ""],
          ["Created", moment(detail.created)],
          ["Ran for", duration(detail.elapsed)],
          ["Ended", detail.reason],
          ["Note", detail.note],
          ["Tags", detail.tags.join(", ")],
          ["Folder", detail.folder === null ? "" : <Code>{detail.folder}</Code>],
          ["Store", <Code key="store">{detail.store}</Code>],
        ]}
      />
    </Section>
  );
}

function bound(one: StudyDetail["outcomes"][number]): string {
  const least = one.at_least == null ? "" : `${plain(one.at_least)} ≤ `;
  const most = one.at_most == null ? "" : ` ≤ ${plain(one.at_most)}`;
  return `${least}${one.metric}${most}`;
}

function CodeVersion({ detail }: { detail: StudyDetail }) {
  const entries = Object.entries(detail.code).filter(
    ([, value]) =>
      value !== null && value !== "" && !(typeof value === "object" && Object.keys(value).length === 0),
  );
  return (
    <Section title="Code" testid="code-version">
      {detail.code_changed.length > 0 && (
        <Alert color="orange" variant="light" title="The code has changed since the study began" mb="xs">
          {detail.code_changed.map((line) => (
            <Text key={line} size="sm">
              {line}
            </Text>
          ))}
        </Alert>
      )}
      {entries.length === 0 ? (
        <Text size="sm" c="dimmed">
          The study does not know which code it ran: it was told its trials by a program.
        </Text>
      ) : (
        <>
          <Rows
            rows={entries
              .filter(([, value]) => !long(value))
              .map(([name, value]) => [words(name), <Lines key={name} text={listed(value)} />])}
          />
          {entries
            .filter(([, value]) => long(value))
            .map(([name, value]) => (
              <details key={name}>
                <summary>{words(name)}</summary>
                <ScrollArea.Autosize
                  mah={300}
                  type="auto"
                  viewportProps={{ tabIndex: 0, "aria-label": words(name) }}
                >
                  <Code block>{typeof value === "string" ? value : listed(value)}</Code>
                </ScrollArea.Autosize>
              </details>
            ))}
        </>
      )}
    </Section>
  );
}

const SAID: Readonly<Record<string, string>> = { who: "Started by", cwd: "Folder" };

function words(name: string): string {
  return SAID[name] ?? capitalized(name.replaceAll("_", " "));
}

function Lines({ text }: { text: string }) {
  return <span style={{ whiteSpace: "pre-line" }}>{text}</span>;
}

// What would fill the page stays folded: a diff, the list of packages.
function long(value: unknown): boolean {
  return (typeof value === "string" ? value : JSON.stringify(value)).length > 160;
}

function listed(value: unknown): string {
  if (value === null || typeof value !== "object") return plain(value);
  if (Array.isArray(value)) return value.map(plain).join(value.length > 20 ? "\n" : " ");
  return Object.entries(value)
    .map(([name, one]) => `${name}  ${plain(one)}`)
    .join("\n");
}

function Space({ detail }: { detail: StudyDetail }) {
  return (
    <Section title={`Parameters (version ${detail.space_version} of the space)`}>
      <ScrollArea.Autosize mah={420} type="auto" viewportProps={{ tabIndex: 0, "aria-label": "Parameters" }}>
        <Table verticalSpacing={3}>
          <Table.Thead>
            <Table.Tr>
              {["Name", "Type", "Values", "Scale", "Default", "When"].map((name) => (
                <Table.Th key={name}>{name}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {detail.parameters.map((one) => (
              <Table.Tr key={one.name}>
                <Table.Td style={{ overflowWrap: "break-word", minWidth: 90 }}>{one.name}</Table.Td>
                <Table.Td>{one.type}</Table.Td>
                <Table.Td style={{ overflowWrap: "break-word", minWidth: 110 }}>{values(one)}</Table.Td>
                <Table.Td>{one.type === "choice" || one.type === "constant" ? "" : one.scale}</Table.Td>
                <Table.Td>{one.default === null ? "" : plain(one.default)}</Table.Td>
                <Table.Td>{one.when !== null && <Code>{one.when}</Code>}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
      {detail.constraints.map((text) => (
        <Text key={text} size="sm" mt={4}>
          Always: <Code>{text}</Code>
        </Text>
      ))}
    </Section>
  );
}

function values(one: StudyDetail["parameters"][number]): string {
  if (one.type === "constant") return plain(one.value);
  if (one.values !== null) return one.values.map(plain).join(", ");
  if (one.min === null && one.max === null) return "";
  const step = one.step === null ? "" : `, step ${plain(one.step)}`;
  const count = one.count === null ? "" : `, ${one.count} values`;
  return `${plain(one.min)} to ${plain(one.max)}${step}${count}`;
}

function Changes({ detail }: { detail: StudyDetail }) {
  return (
    <Section title="Changes since the start" testid="changes">
      {detail.earlier.length > 0 && (
        <Text size="sm" mb={6}>
          Learnt from earlier studies:{" "}
          {detail.earlier.map((one, at) => (
            <span key={`${one.study}-${at}`}>
              {at > 0 && ", "}
              <Anchor component={Link} href={`/studies/${encodeURIComponent(one.study)}`}>
                {one.study}
              </Anchor>
            </span>
          ))}
        </Text>
      )}
      {detail.changes.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing was changed since the study began.
        </Text>
      ) : (
        <ScrollArea.Autosize mah={420} type="auto" viewportProps={{ tabIndex: 0, "aria-label": "Changes" }}>
          <Table verticalSpacing={3}>
            <Table.Thead>
              <Table.Tr>
                {["When", "What", "By"].map((name) => (
                  <Table.Th key={name}>{name}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {detail.changes.map((one, at) => (
                <Change key={at} change={one} />
              ))}
            </Table.Tbody>
          </Table>
        </ScrollArea.Autosize>
      )}
    </Section>
  );
}

function Change({ change }: { change: StudyDetail["changes"][number] }) {
  return (
    <Table.Tr>
      <Table.Td style={{ whiteSpace: "nowrap" }}>{moment(change.at)}</Table.Td>
      <Table.Td style={{ overflowWrap: "anywhere" }}>
        <Code>{change.path}</Code> {change.old === null ? "" : `from ${plain(change.old)} `}to{" "}
        {plain(change.new)}
      </Table.Td>
      <Table.Td style={{ overflowWrap: "anywhere" }}>{change.who}</Table.Td>
    </Table.Tr>
  );
}
