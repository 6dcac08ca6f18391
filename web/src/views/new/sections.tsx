import {
  Autocomplete,
  Code,
  Group,
  Paper,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { Options } from "./options.tsx";
import { faultAt } from "./formstate.ts";
import type { Fault, Form, FormState, Kind } from "./formstate.ts";

type Part = { form: Form; state: FormState; faults: Fault[]; set: (change: Partial<FormState>) => void };

const KINDS: Record<Kind, { name: string; text: string }> = {
  single: { name: "One execution", text: "One trial, with one value for each parameter." },
  grid: { name: "Grid", text: "Every combination of the values, once." },
  random: { name: "Random", text: "Independent draws from the ranges and values." },
  bayesian: { name: "Bayesian", text: "A searcher proposes, and learns from the results so far." },
};

/** What sort of study it is. */
export function KindPart({ form, state, set }: Part) {
  return (
    <div>
      <SegmentedControl
        aria-label="Kind of study"
        fullWidth
        data={form.kinds.map((kind) => ({ value: kind, label: KINDS[kind].name }))}
        value={state.kind}
        onChange={(kind) => set({ kind: kind })}
      />
      <Text size="sm" c="dimmed" mt={4}>
        {KINDS[state.kind].text}
      </Text>
    </div>
  );
}

/** What is optimised. */
export function ObjectivePart({ form, state, faults, set }: Part) {
  if (form.objectives.length > 1) {
    return (
      <Paper withBorder p="md">
        <Title order={2} size="h5">
          Objectives
        </Title>
        <Text size="sm">
          As in the file: <Code>{form.objectives.join(", ")}</Code>
        </Text>
      </Paper>
    );
  }
  const guessed =
    form.metrics.length > 0
      ? "Seen in the program's text; any other one may be typed"
      : "A number that the program reports or prints";
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h5" mb="xs">
        Objective
      </Title>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <Autocomplete
          size="xs"
          label="Target metric"
          description={guessed}
          data={form.metrics}
          value={state.metric}
          error={faultAt(faults, "", "metric")}
          onChange={(metric) => set({ metric })}
        />
        <Select
          label="Goal"
          description="What is better"
          data={[
            { value: "minimize", label: "Minimise" },
            { value: "maximize", label: "Maximise" },
            { value: "approach", label: "Come near to a value" },
          ]}
          value={state.goal}
          allowDeselect={false}
          onChange={(goal) => goal && set({ goal: goal })}
        />
        {state.goal === "approach" && (
          <TextInput
            label="Target value"
            description="The distance to it is minimised"
            value={state.value}
            error={faultAt(faults, "", "value")}
            onChange={(event) => set({ value: event.currentTarget.value })}
          />
        )}
      </SimpleGrid>
    </Paper>
  );
}

/** Who proposes, who stops early, and how much there may be of it. */
export function SearchPart({ form, state, faults, set }: Part) {
  const learns = state.kind === "bayesian";
  const many = state.kind !== "single";
  const text = (
    field: "trials" | "batch" | "workers" | "time" | "seed",
    label: string,
    description: string,
  ) => (
    <TextInput
      label={label}
      description={description}
      value={state[field]}
      error={faultAt(faults, "", field)}
      autoComplete="off"
      onChange={(event) => set({ [field]: event.currentTarget.value })}
    />
  );
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h5" mb="xs">
        {learns ? "Search and budget" : "Budget"}
      </Title>
      <Stack>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          {many && (
            <div>
              {learns && (
                <Method
                  label="Searcher"
                  methods={form.searchers.filter((each) => !["grid", "random"].includes(each.name))}
                  value={state.search}
                  error={faultAt(faults, "", "search")}
                  onChange={(search) => set({ search })}
                />
              )}
              <Options form={form} state={state} part="search" faults={faults} set={set} />
            </div>
          )}
          {many && (
            <div>
              <Method
                label="Early stopping"
                methods={form.schedules}
                value={state.schedule}
                error={faultAt(faults, "", "schedule")}
                onChange={(schedule) => set({ schedule })}
              />
              <Options form={form} state={state} part="schedule" faults={faults} set={set} />
            </div>
          )}
        </SimpleGrid>
        <SimpleGrid cols={{ base: 1, xs: 2, sm: 4 }}>
          {many && text("trials", learns ? "Maximum count" : "Count", COUNTS[state.kind])}
          {learns && text("batch", "Batch size", "Proposals at a time; empty: one by one")}
          {text("workers", "Workers", "Trials at the same time")}
          {text("time", "Time", "Such as 2h30m; empty: no limit")}
          {many && text("seed", "Seed", "Empty: drawn")}
        </SimpleGrid>
      </Stack>
    </Paper>
  );
}

const COUNTS: Record<Kind, string> = {
  single: "",
  grid: "Empty: the whole grid",
  random: "Empty: 100",
  bayesian: "30 or more; empty: 100",
};

type MethodProps = {
  label: string;
  methods: Form["searchers"];
  value: string;
  error?: string;
  onChange: (name: string) => void;
};

function Method({ label, methods, value, error, onChange }: MethodProps) {
  const known = methods.some((each) => each.name === value)
    ? methods
    : [{ name: value, text: "" }, ...methods];
  const chosen = known.find((each) => each.name === value);
  return (
    <div>
      <Select
        label={label}
        data={known.map((each) => each.name)}
        value={value}
        error={error}
        allowDeselect={false}
        searchable
        maxDropdownHeight={360}
        renderOption={({ option }) => (
          <div>
            <Text size="sm" fw={600}>
              {option.value}
            </Text>
            <Text size="xs" c="dimmed">
              {known.find((each) => each.name === option.value)?.text}
            </Text>
          </div>
        )}
        onChange={(name) => name && onChange(name)}
      />
      {chosen?.text && (
        <Text size="sm" c="dimmed" mt={4}>
          {chosen.text}
        </Text>
      )}
    </div>
  );
}

/** How the study is called, and the words that it is found by. */
export function NamePart({ form, state, faults, set }: Part) {
  return (
    <Group align="start" grow preventGrowOverflow={false} wrap="wrap">
      <TextInput
        label="Name of the study"
        description="Empty: a name and a number"
        placeholder={`${form.name}-1`}
        value={state.name}
        error={faultAt(faults, "", "name")}
        autoComplete="off"
        miw={200}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <TextInput
        label="Tags"
        description="With commas between them"
        value={state.tags}
        error={faultAt(faults, "", "tags")}
        autoComplete="off"
        miw={200}
        onChange={(event) => set({ tags: event.currentTarget.value })}
      />
    </Group>
  );
}
