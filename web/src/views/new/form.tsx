import { Alert, Anchor, Badge, Button, Code, Collapse, Group, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { useReadOnly } from "../../shared/session.tsx";
import { faultsOf, optionFields, revived, startState, submission } from "./formstate.ts";
import type { Form, FormState, RowState, Submission } from "./formstate.ts";
import classes from "./new.module.css";
import { ParameterRow } from "./parameterrow.tsx";
import { freshKey, startStudy, usePreview } from "./preview.ts";
import type { Seen } from "./preview.ts";
import { KindPart, NamePart, ObjectivePart, SearchPart } from "./sections.tsx";
import { ShowAs } from "./showas.tsx";

const FIELDS = [
  "metric",
  "value",
  "search",
  "schedule",
  "trials",
  "batch",
  "workers",
  "time",
  "seed",
  "name",
  "tags",
];

/** The form's state, kept for this tab, so that a reload finds it as it was. */
function useKept(form: Form) {
  const { file, step, task } = form.target;
  const place = `rung-new ${JSON.stringify([file, step ?? "", task ?? ""])}`;
  const [state, setState] = useState<FormState>(() => revived(form, sessionStorage.getItem(place)));
  const gone = useRef(false);
  useEffect(() => {
    if (!gone.current) sessionStorage.setItem(place, JSON.stringify(state));
  }, [place, state]);
  const forget = useCallback(() => {
    gone.current = true;
    sessionStorage.removeItem(place);
  }, [place]);
  return { state, setState, forget };
}

/** The form of one target: how each parameter is varied, what that means, and the button that starts it. */
export function NewStudyForm({ form }: { form: Form }) {
  const { state, setState, forget } = useKept(form);
  const [showing, show] = useDisclosure(false);
  const set = useCallback(
    (change: Partial<FormState>) => setState((old) => ({ ...old, ...change })),
    [setState],
  );
  const setRow = useCallback(
    (name: string, change: Partial<RowState>) =>
      setState((old) => {
        const row = old.rows[name];
        return row === undefined ? old : { ...old, rows: { ...old.rows, [name]: { ...row, ...change } } };
      }),
    [setState],
  );
  const asked = useMemo(() => submission(form, state), [form, state]);
  const wrong = useMemo(() => faultsOf(state), [state]);
  const seen = usePreview(asked, wrong);
  const { preview, faults } = seen;
  const means = new Map(preview?.rows.map((row) => [row.name, row]));
  const fields = [...FIELDS, ...optionFields(form, state)];
  const other = faults.filter((fault) => fault.row === "" && !fields.includes(fault.field));
  const begin = useStart(forget);
  const { file, step, task } = form.target;

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (ready(seen)) begin.start(asked, preview?.digest ?? "");
      }}
      noValidate
      aria-label="New study"
    >
      <Stack>
        <Group justify="space-between" align="start">
          <div>
            <Title order={1} size="h2" className={classes.long}>
              {file}
            </Title>
            <Group gap="xs">
              <Badge variant="light" tt="none">
                {form.dialect}
              </Badge>
              {step && !task && <Text size="sm">step {step}</Text>}
              {task && <Text size="sm">task {task}</Text>}
              <Anchor component={Link} href="/new" size="sm">
                Choose another file
              </Anchor>
            </Group>
          </div>
          <Button variant="subtle" onClick={() => setState(startState(form))}>
            Reset
          </Button>
        </Group>
        {form.remarks.map((remark) => (
          <Text key={remark} size="sm" c="dimmed" className={classes.long}>
            {remark}
          </Text>
        ))}
        <NamePart form={form} state={state} faults={faults} set={set} />
        <KindPart form={form} state={state} faults={faults} set={set} />
        <Title order={2} size="h5">
          Parameters
        </Title>
        <Stack gap="sm">
          {form.rows.map((row) => {
            const found = state.rows[row.name];
            return (
              found && (
                <ParameterRow
                  key={row.name}
                  row={row}
                  state={found}
                  kind={state.kind}
                  faults={faults}
                  means={means.get(row.name)}
                  onChange={setRow}
                />
              )
            );
          })}
        </Stack>
        <ObjectivePart form={form} state={state} faults={faults} set={set} />
        <SearchPart form={form} state={state} faults={faults} set={set} />
        {other.map((fault) => (
          <Alert key={fault.message} color="red" role="alert">
            {fault.message}
          </Alert>
        ))}
        <What seen={seen} />
      </Stack>
      <Foot seen={seen} refusal={begin.refusal} starting={begin.starting} onShow={show.open} />
      {preview !== undefined && (
        <ShowAs preview={preview} asked={asked} opened={showing} onClose={show.close} />
      )}
    </form>
  );
}

function ready(seen: Seen): boolean {
  return seen.current && seen.faults.length === 0 && seen.preview !== undefined;
}

/** Starting: once for one form as it stands, however often the button is pressed. */
function useStart(forget: () => void) {
  const [, go] = useLocation();
  const queries = useQueryClient();
  const once = useRef({ asked: "", key: "" });
  const starting = useMutation({
    mutationFn: ({ asked, digest }: { asked: Submission; digest: string }) => {
      const text = JSON.stringify(asked);
      if (once.current.asked !== text) once.current = { asked: text, key: freshKey() };
      return startStudy(asked, once.current.key, digest);
    },
    // whatever was refused, the file may have been changed since it was read
    onError: () => void queries.invalidateQueries({ queryKey: ["project"] }),
    onSuccess: (study) => {
      forget();
      void queries.invalidateQueries({ queryKey: ["studies"] });
      go(`/studies/${encodeURIComponent(study)}`);
    },
    retry: false,
  });
  return {
    start: (asked: Submission, digest: string) => {
      if (!starting.isPending) starting.mutate({ asked, digest });
    },
    starting: starting.isPending || starting.isSuccess,
    refusal: starting.error?.message,
  };
}

/** What would happen, in sentences. */
function What({ seen }: { seen: Seen }) {
  const [opened, { toggle }] = useDisclosure(false);
  const { preview } = seen;
  if (preview === undefined || preview.line === "" || seen.faults.length > 0) return null;
  return (
    <Stack gap="xs">
      {preview.warnings?.map((warning) => (
        <Alert key={warning} color="yellow" variant="light" className={classes.long}>
          {warning}
        </Alert>
      ))}
      {preview.remarks?.map((remark) => (
        <Text key={remark} size="sm" c="dimmed" className={classes.long}>
          {remark}
        </Text>
      ))}
      <div>
        <Button variant="subtle" size="compact-sm" onClick={toggle} aria-expanded={opened}>
          What will happen
        </Button>
      </div>
      <Collapse expanded={opened}>
        <Stack gap={4}>
          <Text size="sm">Search: {preview.search}</Text>
          <Text size="sm">Early stopping: {preview.schedule}</Text>
          <Text size="sm">Ends {preview.ends}</Text>
          <Text size="sm">First commands:</Text>
          <Code block className={classes.code}>
            {preview.first?.join("\n")}
          </Code>
        </Stack>
      </Collapse>
    </Stack>
  );
}

type FootProps = { seen: Seen; refusal?: string; starting: boolean; onShow: () => void };

/** The total, always in sight, and the buttons. */
function Foot({ seen, refusal, starting, onShow }: FootProps) {
  const locked = useReadOnly();
  const fine = ready(seen);
  const faults = seen.faults.length;
  const line =
    faults > 0
      ? `${faults} thing${faults === 1 ? "" : "s"} to correct.`
      : (seen.refusal ?? seen.preview?.line ?? "…");
  return (
    <div className={classes.foot}>
      {refusal !== undefined && (
        <Alert color="red" role="alert" mt="xs" title="It was not started">
          {refusal}
        </Alert>
      )}
      <Group justify="space-between" py="sm" wrap="wrap">
        <Text
          fw={600}
          role="status"
          aria-live="polite"
          c={faults > 0 || seen.refusal ? "var(--mantine-color-error)" : undefined}
        >
          {line}
        </Text>
        <Group gap="sm">
          <Button variant="default" disabled={!fine} onClick={onShow}>
            Show as CLI / YAML / REST
          </Button>
          <Button
            type="submit"
            c={fine && locked === null ? "var(--mantine-primary-color-contrast)" : undefined}
            loading={starting}
            disabled={!fine || locked !== null}
          >
            Start
          </Button>
        </Group>
        {locked !== null && (
          <Text size="sm" c="dimmed" w="100%">
            {locked}
          </Text>
        )}
      </Group>
    </div>
  );
}
