import { Checkbox, ScrollArea, Table, Tooltip } from "@mantine/core";
import { Link } from "wouter";
import { age, count, duration, goalSign, moment, number } from "../../shared/format.ts";
import { StateBadge, StateBar } from "../../shared/statebadge.tsx";
import { useNow } from "./now.ts";
import { sortNamed, sortNext, type Row, type Sort } from "./rows.ts";
import { Spark } from "./spark.tsx";

type Given = {
  rows: readonly Row[];
  sort: string;
  onSort: (sort: string) => void;
  marked: ReadonlySet<string>;
  onMark: (names: readonly string[], on: boolean) => void;
};

/** The studies as a table. */
export function Listing({ rows, sort, onSort, marked, onMark }: Given) {
  const now = useNow();
  const names = rows.map(({ name }) => name);
  const all = names.length > 0 && names.every((name) => marked.has(name));
  const some = names.some((name) => marked.has(name));
  const header = { sort, onSort };
  return (
    <ScrollArea className="panel">
      <Table className="rows" miw={900}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={32}>
              <Checkbox
                aria-label="Choose all that are shown"
                checked={all}
                indeterminate={some && !all}
                onChange={(event) => onMark(names, event.currentTarget.checked)}
              />
            </Table.Th>
            <Head {...header} by="name" label="Study" />
            <Head {...header} by="state" label="State" />
            <Head {...header} by="trials" label="Trials" />
            <Head {...header} by="best" label="Best" right />
            <Table.Th>So far</Table.Th>
            <Head {...header} by="workers" label="Workers" right />
            <Head {...header} by="elapsed" label="Ran" right />
            <Head {...header} by="created" label="Age" right />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.name} data-chosen={marked.has(row.name) || undefined} data-study={row.name}>
              <Table.Td>
                <Checkbox
                  aria-label={`Choose ${row.name}`}
                  checked={marked.has(row.name)}
                  onChange={(event) => onMark([row.name], event.currentTarget.checked)}
                />
              </Table.Td>
              <Table.Td maw={360}>
                <Name row={row} />
              </Table.Td>
              <Table.Td>
                <StateBadge state={row.state} />
              </Table.Td>
              <Table.Td miw={150}>
                <Trials row={row} />
              </Table.Td>
              <Table.Td className="number">
                <Best row={row} />
              </Table.Td>
              <Table.Td>
                <Spark study={row} />
              </Table.Td>
              <Table.Td className="number">
                {row.workers > 0 ? count(row.workers) : <span className="faint">–</span>}
              </Table.Td>
              <Table.Td className="number">{duration(row.elapsed)}</Table.Td>
              <Table.Td className="number">
                <Tooltip label={`created ${moment(row.created)}`}>
                  <span>{age(row.created, now)}</span>
                </Tooltip>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea>
  );
}

type HeadProps = { by: Sort; label: string; sort: string; onSort: (sort: string) => void; right?: boolean };

function Head({ by, label, sort, onSort, right = false }: HeadProps) {
  const now = sortNamed(sort);
  const mine = now.by === by;
  return (
    <Table.Th
      aria-sort={mine ? (now.falling ? "descending" : "ascending") : undefined}
      className={right ? "number" : undefined}
    >
      <button type="button" className="sorter" onClick={() => onSort(sortNext(sort, by))}>
        {label}
        {mine && <span aria-hidden="true">{now.falling ? "↓" : "↑"}</span>}
      </button>
    </Table.Th>
  );
}

/** A study's name, and what people keep beside it. */
export function Name({ row }: { row: Row }) {
  return (
    <>
      <Link className="name" href={`/studies/${encodeURIComponent(row.name)}`}>
        {row.name}
      </Link>
      {row.archived && (
        <span className="tag" style={{ marginLeft: 6 }}>
          archived
        </span>
      )}
      {row.tags.map((tag) => (
        <span key={tag} className="tag" style={{ marginLeft: 6 }}>
          {tag}
        </span>
      ))}
      {row.note !== "" && (
        <div
          className="faint"
          style={{ fontSize: "0.75rem", overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}
        >
          {row.note}
        </div>
      )}
    </>
  );
}

/** How many trials there are, in words and as a bar by state. */
export function Trials({ row }: { row: Row }) {
  const done = (row.counts.complete ?? 0) + (row.counts.pruned ?? 0);
  const failed = row.counts.failed ?? 0;
  const running = row.counts.running ?? 0;
  return (
    <>
      <div style={{ display: "flex", gap: 8, marginBottom: 3, whiteSpace: "nowrap" }}>
        <span>
          {count(done)}
          {row.budget === null ? "" : ` of ${count(row.budget)}`}
        </span>
        {running > 0 && <span className="faint">{count(running)} running</span>}
        {failed > 0 && <span style={{ color: "var(--state-failed)" }}>{count(failed)} failed</span>}
      </div>
      <StateBar counts={row.counts} of={row.budget} />
    </>
  );
}

/** The best value, its metric and which way it is to go. */
export function Best({ row }: { row: Row }) {
  if (row.metric === null) return <span className="faint">no metric</span>;
  return (
    <>
      <div>{number(row.best)}</div>
      <div className="faint" style={{ fontSize: "0.75rem" }}>
        {row.metric} {goalSign(row.goal)}
        {row.objectives > 1 ? ` +${row.objectives - 1}` : ""}
      </div>
    </>
  );
}
