import { Anchor, Box, Table, Text, useComputedColorScheme, VisuallyHidden } from "@mantine/core";
import { Link } from "wouter";
import { palette } from "../../plots/palette.ts";
import { Nothing, Section } from "./section.tsx";
import type { Beside, Detail } from "./types.ts";
import { number, setting } from "./words.ts";

/** The trial's parameters, each beside the best trial's, and where both stand within the range. */
export function Parameters({ detail }: { detail: Detail }) {
  const { parameters, best, record } = detail;
  const compare = best !== null && best !== record.number;
  if (parameters.length === 0) {
    return (
      <Section title="Parameters" name="parameters">
        <Nothing>This study has no parameters: every trial of it is the same.</Nothing>
      </Section>
    );
  }
  return (
    <Section title="Parameters" name="parameters">
      <Table.ScrollContainer minWidth={430} type="native">
        <Table verticalSpacing={4} fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th style={{ whiteSpace: "nowrap" }}>This trial</Table.Th>
              {compare && (
                <Table.Th>
                  <Anchor
                    component={Link}
                    href={`/studies/${encodeURIComponent(detail.study)}/trials/${best}`}
                    size="sm"
                    underline="always"
                  >
                    Best: trial {best}
                  </Anchor>
                </Table.Th>
              )}
              <Table.Th>Within its range</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {parameters.map((one) => (
              <Table.Tr key={one.name} data-parameter={one.name}>
                <Table.Th scope="row" fw={500} style={{ overflowWrap: "break-word", maxWidth: 200 }}>
                  {one.name}
                </Table.Th>
                <Value text={one.inactive ? null : setting(one.value)} bold={compare && !one.same} />
                {compare && (
                  <Value
                    text={one.best_inactive ? null : setting(one.best)}
                    bold={false}
                    same={one.same ? "same" : undefined}
                  />
                )}
                <Table.Td style={{ minWidth: 120 }}>
                  <Place one={one} compare={compare} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Section>
  );
}

function Value({ text, bold, same }: { text: string | null; bold: boolean; same?: string | undefined }) {
  return (
    <Table.Td style={{ overflowWrap: "break-word", maxWidth: 220, fontVariantNumeric: "tabular-nums" }}>
      {text === null ? (
        <Text span size="sm" c="dimmed" fs="italic">
          not active
        </Text>
      ) : (
        <Text span size="sm" fw={bold ? 600 : 400} c={same === undefined ? undefined : "dimmed"}>
          {text}
        </Text>
      )}
      {same !== undefined && <VisuallyHidden> ({same})</VisuallyHidden>}
    </Table.Td>
  );
}

/** A bar from the least to the greatest value; a dot is this trial, a ring the best one. */
function Place({ one, compare }: { one: Beside; compare: boolean }) {
  const colours = palette(useComputedColorScheme("light"));
  if (one.type === "constant")
    return (
      <Text size="xs" c="dimmed">
        constant
      </Text>
    );
  const share = (place: number) => `${Math.round(place * 100)} %`;
  const said = [
    one.place === null ? "" : `this trial at ${share(one.place)}`,
    compare && one.best_place !== null ? `the best at ${share(one.best_place)}` : "",
  ].filter((text) => text !== "");
  const ends =
    one.choices !== null
      ? [one.choices[0], one.choices.at(-1)].map(setting)
      : [number(one.low), number(one.high)];
  return (
    <>
      <svg width="100%" height="14" role="img" aria-label={said.join(", ") || "nowhere"}>
        <line x1="1%" x2="99%" y1="7" y2="7" stroke={colours.faint} strokeOpacity={0.5} strokeWidth={2} />
        {compare && one.best_place !== null && (
          <circle
            cx={`${4 + one.best_place * 92}%`}
            cy="7"
            r="5"
            fill="none"
            stroke={colours.states.complete}
            strokeWidth={2}
          />
        )}
        {one.place !== null && <circle cx={`${4 + one.place * 92}%`} cy="7" r="3.5" fill={colours.accent} />}
      </svg>
      {!(one.choices === null && one.low === null) && (
        <Box
          style={{ display: "flex", justifyContent: "space-between", gap: 8, overflow: "hidden" }}
          fz={10}
          c="dimmed"
        >
          <span style={{ overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}>
            {ends[0]}
          </span>
          {one.scale !== "linear" && <span>{one.scale}</span>}
          <span style={{ overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}>
            {ends[1]}
          </span>
        </Box>
      )}
    </>
  );
}
