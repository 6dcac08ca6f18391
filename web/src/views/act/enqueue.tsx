import { Button, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import type { StudyDetail } from "../../shared/details.ts";
import { useAsk, type Acted } from "./asking.ts";
import { configuration, first, written } from "./fields.ts";
import { Trouble } from "./parts.tsx";

type Parameter = StudyDetail["parameters"][number];
type Given = {
  study: StudyDetail;
  /** What the fields begin with. */
  from: Readonly<Record<string, unknown>>;
  onDone: (acted: Acted) => void;
};

/** A configuration to be run next, from the study's parameters. */
export function EnqueueForm({ study, from, onDone }: Given) {
  const [texts, setTexts] = useState<Record<string, string>>(() =>
    Object.fromEntries(study.parameters.map((parameter) => [parameter.name, first(parameter, from)])),
  );
  const asking = useAsk(study.name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const params = configuration(study.parameters, texts);
    asking.mutate({ action: "enqueue", params }, { onSuccess: onDone });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          It runs before anything that the searcher proposes. A field that is left empty takes its default, or
          the middle of its range.
        </Text>
        <Group gap="sm" align="flex-start">
          {study.parameters.map((parameter) => (
            <Value
              key={parameter.name}
              parameter={parameter}
              text={texts[parameter.name] ?? ""}
              onChange={(text) => setTexts((before) => ({ ...before, [parameter.name]: text }))}
            />
          ))}
        </Group>
        <Trouble error={asking.error} />
        <Group justify="flex-end">
          <Button type="submit" loading={asking.isPending}>
            Enqueue
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Value(given: { parameter: Parameter; text: string; onChange: (text: string) => void }) {
  const { parameter, text, onChange } = given;
  const shared = {
    label: parameter.name,
    value: text,
    w: 170,
    description: described(parameter),
    inputWrapperOrder: ["label", "input", "description"] as ("label" | "input" | "description")[],
  };
  if (parameter.values !== null && parameter.values.length <= 100) {
    return (
      <NativeSelect
        {...shared}
        size="xs"
        data={["", ...parameter.values.map(written)]}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    );
  }
  return (
    <TextInput
      {...shared}
      onChange={(event) => onChange(event.currentTarget.value)}
      autoComplete="off"
      spellCheck={false}
    />
  );
}

function described(parameter: Parameter): string {
  const range =
    parameter.min !== null && parameter.max !== null ? `${parameter.min} to ${parameter.max}` : "";
  const log = parameter.scale === "linear" ? "" : `, ${parameter.scale}`;
  const when = parameter.when === null ? "" : ` when ${parameter.when}`;
  return parameter.type === "constant"
    ? "constant"
    : `${range}${range && log}${when}`.trim() || parameter.type;
}
