import { Badge, Button, Group, Table, Text } from "@mantine/core";
import { useState } from "react";
import { address } from "../../api/client.ts";
import { capitalized } from "../../shared/format.ts";
import { Nothing, Section } from "./section.tsx";
import type { Detail } from "./types.ts";
import { number, size } from "./words.ts";

const MOST_SHOWN = 200;

/** What the trial saved, and downloads of what is kept. */
export function Checkpoints({ detail }: { detail: Detail }) {
  const { checkpoints, resource } = detail;
  const [all, setAll] = useState(false);
  const kept = checkpoints.filter((one) => one.kept);
  const shown = (all ? checkpoints : kept).toReversed().slice(0, MOST_SHOWN);
  return (
    <Section title="Checkpoints" name="checkpoints">
      {checkpoints.length === 0 ? (
        <Nothing>
          It saved none. A program saves to the folder that rung.checkpoint_dir() names, then reports.
        </Nothing>
      ) : (
        <Table.ScrollContainer minWidth={470} type="native">
          <Table fz="sm" verticalSpacing={4}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{capitalized(resource)}</Table.Th>
                <Table.Th>Size</Table.Th>
                <Table.Th>Metrics there</Table.Th>
                <Table.Th>Kept</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map((one) => (
                <Table.Tr key={`${one.attempt}/${one.name}`}>
                  <Table.Th scope="row" fw={500}>
                    {number(one.step)}
                    {one.attempt > 1 ? ` (attempt ${one.attempt})` : ""}
                  </Table.Th>
                  <Table.Td style={{ whiteSpace: "nowrap" }}>{size(one.bytes)}</Table.Td>
                  <Table.Td style={{ overflowWrap: "anywhere" }}>
                    {Object.entries(one.values)
                      .slice(0, 6)
                      .map(([name, value]) => `${name} ${number(value)}`)
                      .join(", ")}
                  </Table.Td>
                  <Table.Td>
                    {one.best && (
                      <Badge size="sm" variant="default" tt="none" mr={4}>
                        best
                      </Badge>
                    )}
                    {one.latest && (
                      <Badge size="sm" variant="default" tt="none" mr={4}>
                        latest
                      </Badge>
                    )}
                    {!one.kept && (
                      <Text span size="sm" c="dimmed">
                        dropped
                      </Text>
                    )}
                    {one.artifact !== null && (
                      <Button
                        component="a"
                        href={address("/api/artifacts/{identity}", { identity: one.artifact })}
                        download
                        size="compact-xs"
                        variant="default"
                        aria-label={`Download the checkpoint of ${resource} ${number(one.step)}`}
                      >
                        Download
                      </Button>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          {kept.length < checkpoints.length && (
            <Group gap="xs" mt={4}>
              <Text size="xs" c="dimmed">
                {kept.length} of {checkpoints.length.toLocaleString("en")} are kept
                {all && checkpoints.length > MOST_SHOWN ? `; showing the last ${MOST_SHOWN}` : ""}
              </Text>
              <Button size="compact-xs" variant="subtle" aria-expanded={all} onClick={() => setAll(!all)}>
                {all ? "Only these" : "Those that were dropped too"}
              </Button>
            </Group>
          )}
        </Table.ScrollContainer>
      )}
    </Section>
  );
}
