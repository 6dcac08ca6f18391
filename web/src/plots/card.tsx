import { Alert, Box, Button, Group, Paper, ScrollArea, Skeleton, Table, Text, Title } from "@mantine/core";
import { useId, type ReactNode } from "react";
import { CopyAs } from "../shared/copyas.tsx";
import { viewTexts, type Options } from "../shared/copytexts.ts";
import { useUrlFlag } from "../shared/urlstate.ts";
import { useVisible } from "./visible.ts";
import { useView, useWatching } from "./watching.tsx";

/** The data that a plot draws, as a table for people and programs that do not see it. */
export type DataTable = {
  columns: readonly string[];
  rows: readonly (readonly (string | number | null)[])[];
};

type PlotCardProps<R> = {
  /** The view's name, which is also the word for its options in the address. */
  name: string;
  /** The view whose data it shows, where that is not `name`. */
  view?: string;
  title: string;
  /** One sentence under the title: how to read it. */
  about?: ReactNode;
  options?: Options;
  controls?: ReactNode;
  height?: number;
  /** What was left out, in words. */
  note?: (record: R) => string;
  /** Whether it holds parameters against an objective, so that without one there is nothing to ask for. */
  judges?: boolean;
  /** Why there is nothing to draw and what to do, or "". */
  empty?: (record: R) => string;
  table: (record: R) => DataTable;
  children: (record: R) => ReactNode;
};

const MOST_ROWS = 1000;

/** A plot with its name, its options, its data as a table, and the texts that give them elsewhere. Loads when seen. */
export function PlotCard<R>(props: PlotCardProps<R>) {
  const { name, view = name, title, options = {}, height = 300 } = props;
  const { study, where, objectives } = useWatching();
  const [box, visible] = useVisible();
  const aimless = props.judges === true && objectives.length === 0;
  const { data, error, isPlaceholderData, refetch } = useView<R>(view, options, visible && !aimless);
  // While the server is away the top of the page says so once, and what was drawn stays.
  const failed = error !== null && (data === undefined || !(error instanceof TypeError));
  const [asTable, setAsTable] = useUrlFlag(`${name}.table`);
  const titled = useId();
  const why = data === undefined ? "" : (props.empty?.(data) ?? "");
  const note = data === undefined || why !== "" ? "" : (props.note?.(data) ?? "");
  return (
    <Paper
      component="section"
      ref={box}
      withBorder
      p="sm"
      aria-labelledby={titled}
      aria-busy={visible && !aimless && !error && (data === undefined || isPlaceholderData)}
      data-testid={`plot-${name}`}
      style={{ minWidth: 0 }}
    >
      <Group justify="space-between" gap="xs" wrap="nowrap" align="start">
        <Title order={2} size="h5" id={titled}>
          {title}
        </Title>
        <Group gap={4} wrap="nowrap">
          <Button
            variant="subtle"
            size="compact-xs"
            color="gray"
            aria-pressed={asTable}
            aria-label={`${asTable ? "Plot" : "Data"}: ${title}`}
            onClick={() => setAsTable(!asTable)}
          >
            {asTable ? "Plot" : "Data"}
          </Button>
          <CopyAs texts={viewTexts(study, view, { ...options, where }, window.location.origin)} of={title} />
        </Group>
      </Group>
      {props.about && (
        <Text size="xs" c="dimmed">
          {props.about}
        </Text>
      )}
      {props.controls && !aimless && (
        <Group gap="xs" my={6} align="center">
          {props.controls}
        </Group>
      )}
      {aimless && (
        <Empty height={height}>
          This study has no objective to hold parameters against. What its trials reported is under Curves.
        </Empty>
      )}
      {failed && (
        <Alert color="red" variant="light" my="xs" title={error.message}>
          <Button size="compact-xs" variant="default" onClick={() => void refetch()}>
            Try again
          </Button>
        </Alert>
      )}
      {data === undefined && !error && !aimless && <Skeleton height={height} aria-hidden />}
      {data !== undefined && why !== "" && <Empty height={height}>{why}</Empty>}
      {data !== undefined && why === "" && !asTable && (
        <Box style={{ opacity: isPlaceholderData ? 0.6 : 1 }}>{props.children(data)}</Box>
      )}
      {data !== undefined && asTable && <Data table={props.table(data)} label={title} />}
      {note && (
        <Text size="xs" c="dimmed" ta="right">
          {note}
        </Text>
      )}
    </Paper>
  );
}

function Empty({ children, height }: { children: ReactNode; height: number }) {
  return (
    <Box h={Math.min(height, 160)} display="grid" style={{ placeItems: "center" }}>
      <Text size="sm" c="dimmed" ta="center" maw={440}>
        {children}
      </Text>
    </Box>
  );
}

function Data({ table, label }: { table: DataTable; label: string }) {
  const rows = table.rows.slice(0, MOST_ROWS);
  return (
    <ScrollArea.Autosize
      mah={420}
      type="auto"
      viewportProps={{ tabIndex: 0, "aria-label": `${label}: data` }}
    >
      <Table stickyHeader fz="xs" verticalSpacing={2} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            {table.columns.map((column) => (
              <Table.Th key={column} style={{ overflowWrap: "anywhere" }}>
                {column}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row, at) => (
            <Table.Tr key={at}>
              {row.map((value, column) => (
                <Table.Td key={column} style={{ fontVariantNumeric: "tabular-nums" }}>
                  {value}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {rows.length < table.rows.length && (
        <Text size="xs" c="dimmed">
          The first {rows.length.toLocaleString("en")} of {table.rows.length.toLocaleString("en")} rows; “Copy
          as” gives them all.
        </Text>
      )}
    </ScrollArea.Autosize>
  );
}
