import {
  Anchor,
  Button,
  Group,
  Paper,
  ScrollArea,
  SimpleGrid,
  Stack,
  Table,
  Text,
  Title,
  UnstyledButton,
  VisuallyHidden,
} from "@mantine/core";
import { Link } from "wouter";
import type { components } from "../api/schema.ts";
import { useUrlState } from "../shared/urlstate.ts";
import { PlotCard } from "./card.tsx";
import { usePalette } from "./chart.tsx";
import { decisionsAt, pieces, placeOf, placeText, said, type Place } from "./ladder.ts";
import { fromWire, showing } from "./marks.ts";
import { sixDigits } from "./numbers.ts";
import { useWatching } from "./watching.tsx";

type Rungs = components["schemas"]["Rungs"];
type BracketCount = components["schemas"]["BracketCount"];

const MOST_ROWS = 200;

/** The rungs and brackets of the schedule, and who was stopped at each of them against what. */
export function RungsPlot() {
  const [placeWord, setPlaceWord] = useUrlState("rungs.at");
  const place = placeOf(placeWord);
  return (
    <PlotCard<Rungs>
      name="rungs"
      title="Rungs and brackets"
      about="How far trials came, and what became of them there. A rung leads to its decisions."
      height={280}
      empty={(record) =>
        record.brackets.length === 0 && record.generations.length === 0 && record.of === 0
          ? record.method === "none"
            ? "This study has no schedule: every trial runs to its end. With --schedule asha the weak ones are ended early."
            : "The schedule has decided nothing yet."
          : ""
      }
      note={(record) => showing(record.shown, record.of, "decisions")}
      table={(record) => ({
        columns: ["trial", "decision", "by", "bracket", record.resource, "value", "threshold", "lost to"],
        rows: record.number.map((trial, at) => [
          trial,
          said(record.act[at] ?? "", record.to[at] ?? null, record.resource),
          record.by[at] ?? "",
          record.bracket[at] ?? "",
          record.resource_at[at] ?? "",
          compared(record.value[at]),
          compared(record.threshold[at]),
          (record.lost_to[at] ?? []).join(" "),
        ]),
      })}
    >
      {(record) => (
        <Stack gap="sm" mt={6}>
          {record.brackets.length > 0 && (
            <>
              <Legend record={record} />
              <SimpleGrid cols={record.brackets.length === 1 ? 1 : { base: 1, md: 2 }} spacing="sm">
                {record.brackets.map((bracket) => (
                  <Bracket
                    key={bracket.bracket}
                    bracket={bracket}
                    resource={record.resource}
                    place={place}
                    onPlace={(found) => setPlaceWord(placeText(found))}
                  />
                ))}
              </SimpleGrid>
            </>
          )}
          {record.generations.length > 0 && <Generations record={record} />}
          {record.of > 0 && <Decisions record={record} place={place} onAll={() => setPlaceWord("")} />}
        </Stack>
      )}
    </PlotCard>
  );
}

function compared(value: Rungs["value"][number] | undefined): string {
  if (value === null || value === undefined) return "";
  return Array.isArray(value)
    ? value.map((one) => sixDigits(fromWire(one))).join(", ")
    : sixDigits(fromWire(value));
}

function Legend({ record }: { record: Rungs }) {
  const { states } = usePalette();
  const all = { resource: 0, planned: null, came: 4, went_on: 1, ended: 1, waiting: 1, stopped: 1 };
  const there = new Set(
    record.brackets.flatMap((one) =>
      one.rungs.flatMap((rung) => pieces(rung, states).map((piece) => piece.kind)),
    ),
  );
  return (
    <Group gap="md">
      {pieces(all, states)
        .filter((piece) => there.has(piece.kind))
        .map((piece) => (
          <Group key={piece.kind} gap={6}>
            <span aria-hidden style={{ width: 10, height: 10, borderRadius: 2, background: piece.colour }} />
            <Text size="xs">{piece.words}</Text>
          </Group>
        ))}
    </Group>
  );
}

type BracketProps = {
  bracket: BracketCount;
  resource: string;
  place: Place;
  onPlace: (place: Place) => void;
};

// The highest rung stands on top, as on a ladder.
function Bracket({ bracket, resource, place, onPlace }: BracketProps) {
  const { states } = usePalette();
  const most = Math.max(1, bracket.trials, ...bracket.rungs.map((rung) => rung.came));
  return (
    <Paper withBorder p="xs" style={{ minWidth: 0 }}>
      <Title order={3} size="h6">
        Bracket {bracket.bracket}
        <Text span size="xs" c="dimmed" ml={8}>
          {bracket.trials.toLocaleString("en")} trials began
        </Text>
      </Title>
      <Stack gap={3} mt={6}>
        {[...bracket.rungs].reverse().map((rung) => {
          const parts = pieces(rung, states);
          const here = place?.bracket === bracket.bracket && place.resource === rung.resource;
          const words = parts.map((piece) => `${piece.count} ${piece.words}`).join(", ");
          return (
            <UnstyledButton
              key={rung.resource}
              className="rung-row"
              aria-pressed={here}
              title={`${rung.came} came${rung.planned === null ? "" : ` of ${rung.planned} planned`}${words ? `: ${words}` : ""}`}
              onClick={() => onPlace(here ? null : { bracket: bracket.bracket, resource: rung.resource })}
              style={{
                display: "grid",
                gridTemplateColumns: "5.5rem 1fr 3.5rem",
                alignItems: "center",
                gap: 8,
                padding: "3px 4px",
                borderRadius: 4,
                background: here ? "var(--chosen)" : undefined,
              }}
            >
              <Text size="xs" truncate>
                {resource} {sixDigits(rung.resource)}
              </Text>
              <VisuallyHidden>
                {rung.came} came{words && `; ${words}`}. Show the decisions.
              </VisuallyHidden>
              <div style={{ display: "flex", gap: 1, height: 16 }}>
                {parts.map((piece) => (
                  <span
                    key={piece.kind}
                    style={{
                      width: `${(100 * piece.count) / most}%`,
                      minWidth: 2,
                      background: piece.colour,
                      borderRadius: 2,
                    }}
                  />
                ))}
              </div>
              <Text size="xs" ta="right" aria-hidden>
                {rung.came.toLocaleString("en")}
              </Text>
            </UnstyledButton>
          );
        })}
      </Stack>
    </Paper>
  );
}

function Generations({ record }: { record: Rungs }) {
  return (
    <ScrollArea.Autosize mah={260} type="auto">
      <Table fz="xs" verticalSpacing={2}>
        <Table.Thead>
          <Table.Tr>
            {["Generation", "Trials", "Replaced", "Live", "Best", "Trial"].map((name) => (
              <Table.Th key={name}>{name}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {record.generations.map((one) => (
            <Table.Tr key={one.generation}>
              <Table.Td>{one.generation}</Table.Td>
              <Table.Td>{one.trials}</Table.Td>
              <Table.Td>{one.replaced}</Table.Td>
              <Table.Td>{one.live}</Table.Td>
              <Table.Td>{compared(one.best)}</Table.Td>
              <Table.Td>{one.best_number === null ? "" : <TrialLink trial={one.best_number} />}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  );
}

function TrialLink({ trial }: { trial: number }) {
  const { study } = useWatching();
  return (
    <Anchor component={Link} href={`/studies/${encodeURIComponent(study)}/trials/${trial}`} size="xs">
      {trial}
    </Anchor>
  );
}

function Decisions({ record, place, onAll }: { record: Rungs; place: Place; onAll: () => void }) {
  const { select } = useWatching();
  const found = decisionsAt(record, place);
  const trials = [...new Set(found.map((at) => record.number[at] ?? 0))].sort((a, b) => a - b);
  return (
    <div>
      <Group gap="xs" mb={4}>
        <Title order={3} size="h6">
          {place === null
            ? "Decisions"
            : `Decisions in bracket ${place.bracket} at ${record.resource} ${sixDigits(place.resource)}`}
        </Title>
        {place !== null && (
          <>
            <Button size="compact-xs" variant="default" onClick={onAll}>
              All decisions
            </Button>
            {trials.length > 0 && trials.length <= 500 && (
              <Button
                size="compact-xs"
                variant="default"
                onClick={() => select({ number: { among: trials } })}
              >
                Select these trials
              </Button>
            )}
          </>
        )}
      </Group>
      {found.length === 0 ? (
        <Text size="xs" c="dimmed">
          The schedule has decided nothing there.
        </Text>
      ) : (
        <ScrollArea.Autosize mah={300} type="auto" viewportProps={{ tabIndex: 0, "aria-label": "Decisions" }}>
          <Table stickyHeader fz="xs" verticalSpacing={2}>
            <Table.Thead>
              <Table.Tr>
                {["Trial", "Decision", `At ${record.resource}`, "Value", "Threshold", "Lost to", "By"].map(
                  (name) => (
                    <Table.Th key={name}>{name}</Table.Th>
                  ),
                )}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {found.slice(0, MOST_ROWS).map((at) => (
                <Table.Tr key={at}>
                  <Table.Td>
                    <TrialLink trial={record.number[at] ?? 0} />
                  </Table.Td>
                  <Table.Td>{said(record.act[at] ?? "", record.to[at] ?? null, record.resource)}</Table.Td>
                  <Table.Td>{record.resource_at[at] ?? ""}</Table.Td>
                  <Table.Td>{compared(record.value[at])}</Table.Td>
                  <Table.Td>{compared(record.threshold[at])}</Table.Td>
                  <Table.Td>
                    <Group gap={6} wrap="nowrap">
                      {(record.lost_to[at] ?? []).map((trial) => (
                        <TrialLink key={trial} trial={trial} />
                      ))}
                    </Group>
                  </Table.Td>
                  <Table.Td>{record.by[at]}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          {found.length > MOST_ROWS && (
            <Text size="xs" c="dimmed">
              The newest {MOST_ROWS} of {found.length.toLocaleString("en")}.
            </Text>
          )}
        </ScrollArea.Autosize>
      )}
    </div>
  );
}
