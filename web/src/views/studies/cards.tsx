import { Checkbox, Group, Stack, Text } from "@mantine/core";
import { age } from "../../shared/format.ts";
import { StateBadge } from "../../shared/statebadge.tsx";
import { Best, Name, Trials } from "./listing.tsx";
import { useNow } from "./now.ts";
import type { Row } from "./rows.ts";
import { Spark } from "./spark.tsx";

type Given = {
  rows: readonly Row[];
  marked: ReadonlySet<string>;
  onMark: (names: readonly string[], on: boolean) => void;
};

/** The studies as cards, where there is no room for a table. */
export function Cards({ rows, marked, onMark }: Given) {
  const now = useNow();
  return (
    <Stack gap="xs" component="ul" style={{ listStyle: "none", margin: 0, padding: 0 }}>
      {rows.map((row) => (
        <li key={row.name} className="panel" style={{ padding: 10 }} data-study={row.name}>
          <Group justify="space-between" wrap="nowrap" align="flex-start" gap="xs">
            <div style={{ minWidth: 0 }}>
              <Name row={row} />
            </div>
            <Checkbox
              aria-label={`Choose ${row.name}`}
              checked={marked.has(row.name)}
              onChange={(event) => onMark([row.name], event.currentTarget.checked)}
            />
          </Group>
          <Group gap="sm" mt={4}>
            <StateBadge state={row.state} size="xs" />
            <Text size="xs" c="dimmed">
              {age(row.created, now)} old
              {row.workers > 0 ? `, ${row.workers} ${row.workers === 1 ? "worker" : "workers"}` : ""}
            </Text>
          </Group>
          <Group justify="space-between" wrap="nowrap" align="flex-end" mt={6} gap="md">
            <div style={{ flex: "1 0 auto", minWidth: 100 }}>
              <Trials row={row} />
            </div>
            {row.best !== null && <Spark study={row} />}
            <div className="number" style={{ minWidth: 88 }}>
              <Best row={row} />
            </div>
          </Group>
        </li>
      ))}
    </Stack>
  );
}
