import { Anchor, Code, Table, Text } from "@mantine/core";
import { seconds } from "../../plots/numbers.ts";
import { capitalized, moment } from "../../shared/format.ts";
import { useUrlState } from "../../shared/urlstate.ts";
import { plainText } from "./ansi.ts";
import { Nothing, Section } from "./section.tsx";
import type { Attempt, Detail } from "./types.ts";
import { ending, number } from "./words.ts";

/** The runs of the trial's program: where, how long, how each ended, from which checkpoint it began. */
export function Attempts({ detail }: { detail: Detail }) {
  const { attempts, resource } = detail;
  return (
    <Section title="Attempts" name="attempts">
      {attempts.length === 0 ? (
        <Nothing>It waits for a free worker; no attempt was made yet.</Nothing>
      ) : (
        <Table.ScrollContainer minWidth={640} type="native">
          <Table fz="sm" verticalSpacing={4}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>#</Table.Th>
                <Table.Th>Began</Table.Th>
                <Table.Th>Took</Table.Th>
                <Table.Th>{capitalized(resource)}</Table.Th>
                <Table.Th>Where</Table.Th>
                <Table.Th>How it ended</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {[...attempts].reverse().map((attempt) => (
                <Row key={attempt.number} attempt={attempt} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Section>
  );
}

function Row({ attempt }: { attempt: Attempt }) {
  const [, setTab] = useUrlState("tab", "overview");
  const [, setAttempt] = useUrlState("attempt");
  const { origin, devices = [] } = attempt;
  const where = [
    attempt.host === null || attempt.host === undefined ? "" : `${attempt.host}, process ${attempt.pid}`,
    devices.length > 0 ? devices.join(", ") : "",
    `runner ${attempt.runner}`,
  ].filter((text) => text !== "");
  return (
    <Table.Tr data-attempt={attempt.number}>
      <Table.Th scope="row">
        <Anchor
          component="button"
          size="sm"
          underline="always"
          aria-label={`Output of attempt ${attempt.number}`}
          onClick={() => {
            setAttempt(String(attempt.number));
            setTab("log", { push: true });
          }}
        >
          {attempt.number}
        </Anchor>
      </Table.Th>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        {attempt.started === null || attempt.started === undefined ? "—" : moment(attempt.started)}
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        {attempt.seconds === null || attempt.seconds === undefined ? "—" : seconds(attempt.seconds)}
      </Table.Td>
      <Table.Td>
        {attempt.first === null || attempt.first === undefined
          ? "—"
          : `${number(attempt.first)} to ${number(attempt.last)}`}
        <Text size="xs" c="dimmed">
          {attempt.limit === null || attempt.limit === undefined
            ? ""
            : `let run up to ${number(attempt.limit)}`}
        </Text>
      </Table.Td>
      <Table.Td style={{ overflowWrap: "anywhere" }}>
        {where.join("; ")}
        {origin !== null && origin !== undefined && (
          <Text size="xs" c="dimmed">
            from checkpoint {origin.checkpoint} of trial {origin.trial}, at {number(origin.step)}
          </Text>
        )}
        {(attempt.adopted ?? 0) > 0 && (
          <Text size="xs" c="dimmed">
            adopted by another runner {attempt.adopted === 1 ? "once" : `${attempt.adopted} times`}
          </Text>
        )}
      </Table.Td>
      <Table.Td style={{ overflowWrap: "anywhere" }}>
        {ending(attempt)}
        {attempt.tail !== undefined && attempt.tail !== "" && (
          <Code
            block
            fz={11}
            mt={4}
            mah={160}
            tabIndex={0}
            aria-label="The last it wrote"
            style={{ whiteSpace: "pre-wrap", overflow: "auto" }}
          >
            {plainText(attempt.tail)}
          </Code>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
