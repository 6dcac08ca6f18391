import { Button, Group, List, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useLocation } from "wouter";
import { counted } from "../../shared/format.ts";
import { joined } from "../../shared/querywords.ts";
import { useReadOnly } from "../../shared/session.tsx";
import { ask, removeStudy } from "../act/asking.ts";
import { Act, AskFirst, Trouble } from "../act/parts.tsx";
import type { Row } from "./rows.ts";

const MOST_COMPARED = 12;

/** What can be done with the studies that are chosen. */
export function Chosen({ rows, onClear }: { rows: readonly Row[]; onClear: () => void }) {
  const [asking, setAsking] = useState(false);
  const [, go] = useLocation();
  const back = useRef<HTMLButtonElement>(null);
  const queries = useQueryClient();
  const why = useReadOnly();
  const settled = () => queries.invalidateQueries({ queryKey: ["studies"] });
  const archiving = useMutation({
    mutationFn: (archived: boolean) =>
      each(rows, (row) => ask(row.name, { action: "note", archived, tag: [], untag: [] })),
    onSettled: settled,
    onSuccess: onClear,
  });
  const removing = useMutation({
    mutationFn: () => each(rows, (row) => removeStudy(row.name)),
    onSettled: settled,
    onSuccess: () => {
      setAsking(false);
      onClear();
    },
  });
  if (rows.length === 0) return null;
  const put = rows.every((row) => row.archived);
  const trials = rows.reduce((sum, row) => sum + row.trials, 0);
  const busy = rows.filter((row) => row.state === "running" || row.state === "paused");
  const names = rows.map(({ name }) => name);
  return (
    <>
      <Group
        gap="xs"
        className="panel"
        px="sm"
        py={6}
        role="toolbar"
        aria-label="What to do with the chosen studies"
      >
        <Text size="sm" fw={600}>
          {counted(rows.length, "study", "studies")} chosen
        </Text>
        <Act
          why={
            rows.length < 2 || rows.length > MOST_COMPARED
              ? `Choose 2 to ${MOST_COMPARED} studies to compare`
              : null
          }
          onClick={() => go(`/compare?studies=${encodeURIComponent(joined(names))}`)}
        >
          Compare
        </Act>
        <Act why={why} loading={archiving.isPending} onClick={() => archiving.mutate(!put)}>
          {put ? "Take out of the archive" : "Archive"}
        </Act>
        <span ref={(node) => void (back.current = node?.querySelector("button") ?? null)}>
          <Act
            color="red"
            variant="light"
            why={
              why ??
              (busy.length > 0
                ? `${busy.map(({ name }) => name).join(", ")} still runs: stop it first`
                : null)
            }
            onClick={() => setAsking(true)}
          >
            Delete…
          </Act>
        </span>
        <Button variant="subtle" color="gray" onClick={onClear}>
          Choose none
        </Button>
      </Group>
      <Trouble error={archiving.error} />
      <AskFirst
        title={`Delete ${counted(rows.length, "study", "studies")}?`}
        opened={asking}
        onClose={() => setAsking(false)}
        back={back}
        does={`Delete ${counted(rows.length, "study", "studies")}`}
        onDo={() => removing.mutate()}
        busy={removing.isPending}
        error={removing.error}
      >
        <Text size="sm">
          {counted(trials, "trial")} with all results, decisions and notes, and the folders with their output
          and checkpoints, will be gone. There is no way back; archiving keeps everything.
        </Text>
        <List size="sm" style={{ maxHeight: 240, overflow: "auto" }}>
          {rows.map((row) => (
            <List.Item key={row.name}>
              <b style={{ overflowWrap: "anywhere" }}>{row.name}</b>, {counted(row.trials, "trial")}
            </List.Item>
          ))}
        </List>
      </AskFirst>
    </>
  );
}

/** One after the other; the first that is refused ends it, and says which it was. */
async function each<T>(rows: readonly Row[], act: (row: Row) => Promise<T>): Promise<void> {
  for (const row of rows) {
    try {
      await act(row);
    } catch (error) {
      throw new Error(`${row.name}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}
