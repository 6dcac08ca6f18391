import { Alert, Button, Code, Group, List, SimpleGrid, Stack, Table, Text, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useAsk, type Acted } from "./asking.ts";
import { changed, fieldsOf, time, type Field, type Setting } from "./fields.ts";
import { Trouble } from "./parts.tsx";
import { counted } from "../../shared/format.ts";
import type { StudyDetail } from "../../shared/details.ts";

/** What a study may spend, and how many trials run at once. */
export function BudgetForm({ study, onDone }: { study: StudyDetail; onDone: (acted: Acted) => void }) {
  const { budget } = study;
  const fields: Field[] = [
    {
      path: "budget.trials",
      label: "Trials",
      now: text(budget.trials),
      hint: "configurations evaluated; empty: no limit",
    },
    {
      path: "budget.time",
      label: "Time",
      now: time(budget.time_s ?? null),
      hint: "with a runner attached, such as 2h30m",
    },
    {
      path: "budget.target",
      label: "Target",
      now: text(budget.target),
      hint: "the study ends when it is reached",
    },
    {
      path: "run.workers",
      label: "Workers",
      now: String(study.workers),
      hint: "trials that run at once; obeyed at once",
    },
    {
      path: "budget.max_failures",
      label: "Failures",
      now: text(budget.max_failures),
      hint: "so many failed trials end it",
    },
    {
      path: "budget.patience",
      label: "Patience",
      now: text(budget.patience),
      hint: "trials without a better value",
    },
  ];
  return <SettingsForm study={study.name} fields={fields} onDone={onDone} />;
}

/** The space as it is searched now, parameter by parameter. */
export function SpaceForm({ study, onDone }: { study: StudyDetail; onDone: (acted: Acted) => void }) {
  const groups = study.parameters
    .map((parameter) => ({ name: parameter.name, type: parameter.type, fields: fieldsOf(parameter) }))
    .filter(({ fields }) => fields.length > 0);
  const constraints: Field = {
    path: "constraints",
    label: "Constraints",
    now: study.constraints.length === 0 ? "" : JSON.stringify(study.constraints),
    hint: 'such as ["width * heads <= 256"]; [] takes them away',
  };
  return (
    <SettingsForm
      study={study.name}
      fields={[...groups.flatMap(({ fields }) => fields), constraints]}
      groups={groups}
      onDone={onDone}
      checked
    />
  );
}

type FormProps = {
  study: string;
  fields: readonly Field[];
  groups?: readonly { name: string; type: string; fields: readonly Field[] }[];
  onDone: (acted: Acted) => void;
  /** Whether the linter must have been heard before it can be accepted. */
  checked?: boolean;
};

function SettingsForm({ study, fields, groups = [], onDone, checked = false }: FormProps) {
  const [texts, setTexts] = useState<Record<string, string>>({});
  const preview = useAsk(study);
  const edit = useAsk(study);
  const settings = changed(fields, texts);
  const asked = JSON.stringify(settings);
  const heard = preview.data !== undefined && previewed(preview.variables) === asked;
  const write = (path: string, value: string) => setTexts((before) => ({ ...before, [path]: value }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (settings.length === 0) return;
    if (checked && !heard) preview.mutate({ action: "edit", settings, dry: true });
    else edit.mutate({ action: "edit", settings, dry: false }, { onSuccess: onDone });
  };
  const grouped = new Set(groups.flatMap((group) => group.fields.map(({ path }) => path)));
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {groups.map((group) => (
          <fieldset key={group.name} style={{ border: 0, margin: 0, padding: 0 }}>
            <Text component="legend" size="sm" fw={600} mb={4}>
              {group.name}{" "}
              <Text span size="xs" c="dimmed">
                {group.type}
              </Text>
            </Text>
            <Group gap="xs" align="flex-start">
              {group.fields.map((field) => (
                <Written key={field.path} field={field} texts={texts} write={write} narrow />
              ))}
            </Group>
          </fieldset>
        ))}
        <SimpleGrid cols={groups.length > 0 ? 1 : { base: 1, xs: 2 }} spacing="sm">
          {fields
            .filter(({ path }) => !grouped.has(path))
            .map((field) => (
              <Written key={field.path} field={field} texts={texts} write={write} />
            ))}
        </SimpleGrid>
        <Trouble error={preview.error ?? edit.error} />
        {heard && preview.data !== undefined && <Preview found={preview.data} />}
        <Group justify="space-between" gap="xs">
          <Text size="xs" c="dimmed">
            {settings.length === 0
              ? "Nothing is changed yet."
              : `${counted(settings.length, "setting")} changed.`}
          </Text>
          <Button
            type="submit"
            disabled={settings.length === 0}
            loading={preview.isPending || edit.isPending}
          >
            {checked && !heard ? "Check" : "Change the study"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

type WrittenProps = {
  field: Field;
  texts: Readonly<Record<string, string>>;
  write: (path: string, value: string) => void;
  narrow?: boolean;
};

function Written({ field, texts, write, narrow = false }: WrittenProps) {
  return (
    <TextInput
      label={field.label}
      aria-label={narrow ? `${field.path.replace(/^parameters\./, "")}` : undefined}
      description={field.hint}
      inputWrapperOrder={["label", "input", "description"]}
      value={texts[field.path] ?? field.now}
      onChange={(event) => write(field.path, event.currentTarget.value)}
      w={narrow ? (field.label === "values" ? 220 : 96) : undefined}
      autoComplete="off"
      spellCheck={false}
    />
  );
}

/** What an edit would do, before it is done. */
export function Preview({ found }: { found: Acted }) {
  return (
    <Stack gap="xs" aria-live="polite">
      <Table>
        <Table.Tbody>
          {(found.changes ?? []).map((change) => (
            <Table.Tr key={change.path}>
              <Table.Th scope="row">{change.path}</Table.Th>
              <Table.Td>
                <Code>{change.old || "not set"}</Code> → <Code>{change.new || "not set"}</Code>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {(found.findings ?? []).length > 0 && (
        <Alert color="yellow" variant="light" title="The linter says of the edited space" p="xs">
          <List size="sm">
            {(found.findings ?? []).map((finding) => (
              <List.Item key={finding} style={{ overflowWrap: "anywhere" }}>
                {finding}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
      <Text size="sm">{consequences(found)}</Text>
    </Stack>
  );
}

function consequences(found: Acted): string {
  const said = [];
  if (found.left_out > 0)
    said.push(`The search goes on without ${counted(found.left_out, "trial")} that do not fit.`);
  if (found.dropped > 0) said.push(`${counted(found.dropped, "configuration")} that wait will not run.`);
  return said.join(" ") || "All trials that there are fit; nothing that waits is dropped.";
}

function previewed(action: unknown): string {
  const settings = (action as { settings?: Setting[] } | undefined)?.settings;
  return JSON.stringify(settings ?? []);
}

function text(value: number | null | undefined): string {
  return value === null || value === undefined ? "" : String(value);
}
