import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useAsk, type Acted } from "./asking.ts";
import { Trouble } from "./parts.tsx";

type Given = {
  study: string;
  trial: number;
  /** What may be told: objectives and outcomes. */
  metrics: readonly string[];
  values: Readonly<Record<string, number | string>>;
  onDone: (acted: Acted) => void;
};

const NOT_FINITE = ["NaN", "Infinity", "-Infinity"] as const;

/** A trial's values, given by a person, whatever it reported. */
export function TellForm({ study, trial, metrics, values, onDone }: Given) {
  const [texts, setTexts] = useState<Record<string, string>>({});
  const [wrong, setWrong] = useState<string | null>(null);
  const asking = useAsk(study);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const told: Record<string, number | (typeof NOT_FINITE)[number]> = {};
    for (const metric of metrics) {
      const text = (texts[metric] ?? "").trim();
      if (text === "") continue;
      const special = NOT_FINITE.find((word) => word === text);
      if (special === undefined && !Number.isFinite(Number(text))) return setWrong(metric);
      told[metric] = special ?? Number(text);
    }
    setWrong(null);
    asking.mutate({ action: "tell", trial, values: told }, { onSuccess: onDone });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          These become the trial's values, in place of what it reported. A field that is left empty changes
          nothing.
        </Text>
        {metrics.map((metric) => (
          <TextInput
            key={metric}
            label={metric}
            value={texts[metric] ?? ""}
            placeholder={metric in values ? `is ${values[metric]}` : "has no value"}
            onChange={(event) => {
              const { value } = event.currentTarget;
              setTexts((before) => ({ ...before, [metric]: value }));
            }}
            error={wrong === metric ? "expected a number, NaN, Infinity or -Infinity" : undefined}
            autoComplete="off"
          />
        ))}
        <Trouble error={asking.error} />
        <Group justify="flex-end">
          <Button
            type="submit"
            disabled={Object.values(texts).every((text) => !text.trim())}
            loading={asking.isPending}
          >
            Tell
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
