import {
  Button,
  Chip,
  Code,
  Group,
  MultiSelect,
  Skeleton,
  Stack,
  Switch,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { read } from "../../api/client.ts";
import { Failure } from "../../shared/failure.tsx";
import { counted } from "../../shared/format.ts";
import { STUDY_STATES } from "../../shared/states.ts";
import { StateBadge } from "../../shared/statebadge.tsx";
import { useTitle } from "../../shared/title.ts";
import { useUrlFlag, useUrlList, useUrlState } from "../../shared/urlstate.ts";
import { Chosen } from "./chosen.tsx";
import { Cards } from "./cards.tsx";
import { Listing } from "./listing.tsx";
import { chosen, standing, tagsOf, type Row } from "./rows.ts";

const AT_ONCE = 200; // rows drawn before one asks for more
const ALIVE_MS = 5_000;
const QUIET_MS = 30_000;

/** The list of all studies. */
export default function Studies() {
  useTitle("Studies");
  const { data, error, refetch } = useQuery({
    queryKey: ["studies"],
    queryFn: ({ signal }) => read("/api/studies", { signal }),
    // A runner that dies says nothing, so the list is asked for again now and then, whatever the stream says.
    refetchInterval: ({ state }) =>
      state.data?.some((row) => row.state === "running" || row.state === "paused") ? ALIVE_MS : QUIET_MS,
  });
  if (data === undefined) {
    return error === null ? <Waiting /> : <Failure error={error} onRetry={() => void refetch()} />;
  }
  return (
    <Stack gap="sm">
      {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {data.length === 0 ? <Nothing /> : <All rows={data} />}
    </Stack>
  );
}

function All({ rows }: { rows: readonly Row[] }) {
  const [search, setSearch] = useUrlState("q");
  const [states, setStates] = useUrlList("state");
  const [tags, setTags] = useUrlList("tag");
  const [archived, setArchived] = useUrlFlag("archived");
  const [sort, setSort] = useUrlState("sort");
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const [most, setMost] = useState(AT_ONCE);
  const narrow = useMediaQuery("(max-width: 760px)", undefined, { getInitialValueInEffect: false });
  const found = chosen(rows, { search, states, tags, archived }, sort);
  const shown = found.slice(0, most);
  const picked = rows.filter((row) => marked.has(row.name));
  const hidden = rows.filter((row) => row.archived).length;
  const known = tagsOf(rows);
  const counts = standing(rows.filter((row) => archived || !row.archived));
  const mark = (names: readonly string[], on: boolean) =>
    setMarked((before) => {
      const after = new Set(before);
      for (const name of names) {
        if (on) after.add(name);
        else after.delete(name);
      }
      return after;
    });
  return (
    <>
      <Group justify="space-between" align="center" gap="sm">
        <Title order={1}>Studies</Title>
        <Button component={Link} href="/new" variant="light">
          New study
        </Button>
      </Group>
      <Group gap="xs" align="center">
        <TextInput
          aria-label="Search in names, metrics, tags and notes"
          placeholder="Search"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          data-search
          w={220}
          type="search"
        />
        <Chip.Group multiple value={states} onChange={setStates}>
          <Group gap={4} role="group" aria-label="Only these states">
            {STUDY_STATES.filter((state) => (counts[state] ?? 0) > 0 || states.includes(state)).map(
              (state) => (
                <Chip key={state} value={state} size="xs" variant="outline">
                  {state} {counts[state] ?? 0}
                </Chip>
              ),
            )}
          </Group>
        </Chip.Group>
        {known.length > 0 && (
          <MultiSelect
            aria-label="Only studies with these tags"
            placeholder={tags.length === 0 ? "Any tag" : undefined}
            data={[...new Set([...known, ...tags])]}
            value={tags}
            onChange={setTags}
            w={200}
            searchable
            clearable
            clearButtonProps={{ "aria-label": "No tag" }}
          />
        )}
        {(hidden > 0 || archived) && (
          <Switch
            label={`Archived (${hidden})`}
            checked={archived}
            onChange={(event) => setArchived(event.currentTarget.checked)}
          />
        )}
        <Text size="xs" c="dimmed" aria-live="polite">
          {found.length === rows.length
            ? counted(found.length, "study", "studies")
            : `${found.length} of ${counted(rows.length, "study", "studies")}`}
        </Text>
      </Group>
      <Chosen rows={picked} onClear={() => setMarked(new Set())} />
      {found.length === 0 ? (
        <Text c="dimmed" py="lg">
          No study fits.{" "}
          <Button
            variant="subtle"
            size="compact-xs"
            onClick={() => {
              setSearch("");
              setStates([]);
              setTags([]);
              setArchived(true);
            }}
          >
            Show all
          </Button>
        </Text>
      ) : narrow ? (
        <Cards rows={shown} marked={marked} onMark={mark} />
      ) : (
        <Listing rows={shown} sort={sort} onSort={setSort} marked={marked} onMark={mark} />
      )}
      {shown.length < found.length && (
        <Button variant="default" onClick={() => setMost(most + AT_ONCE)} style={{ alignSelf: "center" }}>
          Showing {shown.length} of {found.length}: show more
        </Button>
      )}
    </>
  );
}

function Waiting() {
  return (
    <Stack gap="xs" aria-busy="true" aria-label="Loading the studies">
      <Skeleton height={26} width={140} />
      {[...Array(6).keys()].map((at) => (
        <Skeleton key={at} height={38} />
      ))}
    </Stack>
  );
}

function Nothing() {
  return (
    <Stack gap="md" py="xl" maw={640}>
      <Title order={1}>There is no study here yet</Title>
      <Text>
        A study searches good hyperparameters for a program of yours. Begin one in this page, from a script or
        a study file of the project folder:
      </Text>
      <Button component={Link} href="/new" style={{ alignSelf: "flex-start" }}>
        New study
      </Button>
      <Text>or on the command line; it appears here as soon as it runs:</Text>
      <Code block>{'rung run -p "lr=loguniform(1e-5,0.1)" -m loss train.py'}</Code>
      <Text size="sm" c="dimmed">
        {"train.py takes --lr=VALUE and prints “loss: VALUE”. "}
        <StateBadge state="running" size="xs" /> studies move while one watches.
      </Text>
    </Stack>
  );
}
