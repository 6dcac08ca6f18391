import { Checkbox, Code, Paper, Select, Text, Textarea, TextInput } from "@mantine/core";
import { memo } from "react";
import { faultAt, fieldsOf, modeOf, modesFor, rowFault, valuesText } from "./formstate.ts";
import type { Fault, FormRow, Kind, Mode, Preview, RangeKind, RowState } from "./formstate.ts";
import classes from "./new.module.css";

const MODES: Record<Mode, string> = {
  declared: "As in the file",
  single: "Single",
  multiple: "Multiple",
  linear: "Linear",
  logspace: "Logspace",
  random: "Random",
  range: "Range",
};

const KINDS: Record<RangeKind, string> = {
  uniform: "Uniform",
  loguniform: "Log-uniform",
  int: "Integer",
  logint: "Integer, log",
  normal: "Normal",
  lognormal: "Log-normal",
  choice: "Choices",
};

const LABELS: Record<string, string> = {
  start: "Start",
  end: "End",
  step: "Step",
  count: "Count",
  base: "Base",
  min: "Min",
  max: "Max",
  mean: "Mean",
  sd: "Standard deviation",
  seed: "Seed",
};

const OPTIONAL: Partial<Record<Mode, string[]>> = { random: ["seed"], range: ["step"] };

type RowProps = {
  row: FormRow;
  state: RowState;
  kind: Kind;
  faults: Fault[];
  means?: Preview["rows"][number];
  onChange: (name: string, change: Partial<RowState>) => void;
};

/** One parameter: its name and help, how it is varied, the fields of that way, and the values that come of it. */
export const ParameterRow = memo(function ParameterRow({
  row,
  state,
  kind,
  faults,
  means,
  onChange,
}: RowProps) {
  const mode = modeOf(row, state, kind);
  const modes = modesFor(row, kind);
  const shown = fieldsOf(mode, state.kind);
  const whole = rowFault(faults, row.name, shown);
  const change = (part: Partial<RowState>) => onChange(row.name, part);
  const ours = faults.some((fault) => fault.row === row.name);
  return (
    <Paper component="fieldset" withBorder p="md" className={classes.row} aria-label={row.name}>
      <div>
        <Text fw={600} className={classes.long}>
          {row.name}
          {row.required && (
            <Text component="span" c="red.8" aria-hidden>
              {" "}
              *
            </Text>
          )}
        </Text>
        <Text size="sm" c="dimmed" className={classes.long}>
          {row.help ?? typeName(row.type)}
        </Text>
        {row.declared && mode !== "declared" && (
          <Text size="xs" c="dimmed" className={classes.long}>
            in the file: {row.declared}
          </Text>
        )}
        {row.when && (
          <Text size="xs" c="dimmed">
            only when <Code>{row.when}</Code>
          </Text>
        )}
      </div>
      {row.type === "switch" ? (
        <div />
      ) : (
        <Select
          label="Mode"
          aria-label={`Mode of ${row.name}`}
          data={modes.map((each) => ({ value: each, label: MODES[each] }))}
          value={mode}
          disabled={modes.length < 2}
          allowDeselect={false}
          comboboxProps={{ withinPortal: true }}
          onChange={(chosen) => chosen && change({ mode: chosen })}
        />
      )}
      <div>
        <div className={classes.fields}>
          <Fields row={row} state={state} mode={mode} faults={faults} change={change} />
        </div>
        {whole !== undefined && (
          <Text size="sm" c="var(--mantine-color-error)" role="alert" mt={6}>
            {whole}
          </Text>
        )}
        {!ours && means !== undefined && mode !== "single" && valuesText(means) !== row.declared && (
          <Text size="sm" mt={6} className={classes.means} data-testid={`means-${row.name}`}>
            {valuesText(means)}
          </Text>
        )}
      </div>
    </Paper>
  );
});

function typeName(type: string): string {
  const names: Record<string, string> = {
    any: "",
    float: "number",
    integer: "whole number",
    string: "text",
    flag: "yes or no",
    switch: "a switch, the same for all trials",
  };
  return names[type] ?? type;
}

type FieldsProps = {
  row: FormRow;
  state: RowState;
  mode: Mode;
  faults: Fault[];
  change: (part: Partial<RowState>) => void;
};

function Fields({ row, state, mode, faults, change }: FieldsProps) {
  const numbers = fieldsOf(mode, state.kind).filter((field) => field in LABELS);
  const listed = mode === "multiple" || (mode === "range" && state.kind === "choice");
  return (
    <>
      {mode === "declared" && (
        <Text className={classes.wide} size="sm" c="dimmed">
          {row.declared}
        </Text>
      )}
      {mode === "range" && (
        <Select
          label="Kind"
          aria-label={`Kind of range of ${row.name}`}
          data={kindsFor(row).map((each) => ({ value: each, label: KINDS[each] }))}
          value={state.kind}
          allowDeselect={false}
          onChange={(chosen) => chosen && change({ kind: chosen })}
        />
      )}
      {mode === "single" && <Value row={row} state={state} faults={faults} change={change} />}
      {listed && (
        <Textarea
          className={classes.wide}
          label="Values"
          description="One value per line"
          aria-label={`Values of ${row.name}, one per line`}
          rows={rowsOf(state.values)}
          value={state.values}
          error={faultAt(faults, row.name, "values")}
          onChange={(event) => change({ values: event.currentTarget.value })}
        />
      )}
      {numbers.map((field) => (
        <TextInput
          key={field}
          label={LABELS[field]}
          aria-label={`${LABELS[field]} of ${row.name}`}
          inputMode="text"
          autoComplete="off"
          placeholder={isOptional(mode, field, state) ? "none" : undefined}
          value={state[field as "start"]}
          error={faultAt(faults, row.name, field)}
          onChange={(event) => change({ [field]: event.currentTarget.value })}
        />
      ))}
      {mode === "random" && (
        <Select
          label="Distribution"
          aria-label={`Distribution of ${row.name}`}
          data={[
            { value: "uniform", label: "Uniform" },
            { value: "loguniform", label: "Log-uniform" },
          ]}
          value={state.distribution}
          allowDeselect={false}
          onChange={(chosen) => chosen && change({ distribution: chosen })}
        />
      )}
      {(mode === "logspace" || mode === "random") && (
        <Checkbox
          className={classes.wide}
          label="Round down and remove duplicates"
          checked={state.integerify}
          onChange={(event) => change({ integerify: event.currentTarget.checked })}
        />
      )}
    </>
  );
}

/** So many lines stand in the field, 2 to 12; measuring the text, as growing fields do, takes seconds for long lists. */
function rowsOf(values: string): number {
  let [found, at] = [1, -1];
  while (found < 12 && (at = values.indexOf("\n", at + 1)) !== -1) found += 1;
  return Math.max(2, found);
}

function isOptional(mode: Mode, field: string, state: RowState): boolean {
  const bounds = state.kind === "normal" || state.kind === "lognormal" ? ["min", "max"] : [];
  return (OPTIONAL[mode] ?? []).includes(field) || (mode === "range" && bounds.includes(field));
}

function kindsFor(row: FormRow): RangeKind[] {
  const kinds = Object.keys(KINDS) as RangeKind[];
  if (row.type === "flag") return ["choice"];
  return row.type === "integer" ? ["int", "logint", "choice"] : kinds;
}

function Value({ row, state, faults, change }: Omit<FieldsProps, "mode">) {
  const error = faultAt(faults, row.name, "value");
  const label = row.several ? "Values" : "Value";
  const choices = row.choices?.map((choice) =>
    typeof choice === "string" ? choice : JSON.stringify(choice),
  );
  const [flag, opposite] = choices ?? [];
  if (row.type === "switch" && flag !== undefined && opposite === undefined) {
    return (
      <Checkbox
        className={classes.wide}
        label={flag}
        checked={state.value === flag}
        error={error}
        onChange={(event) => change({ value: event.currentTarget.checked ? flag : "" })}
      />
    );
  }
  if (choices && !row.several) {
    return (
      <Select
        className={classes.wide}
        label={label}
        aria-label={`${label} of ${row.name}`}
        data={choices}
        value={choices.includes(state.value) ? state.value : null}
        placeholder={row.required ? "a value is needed" : "the program's own default"}
        clearable
        clearButtonProps={{ "aria-label": `Clear ${label.toLowerCase()} of ${row.name}` }}
        error={error}
        maw={320}
        onChange={(chosen) => change({ value: chosen ?? "" })}
      />
    );
  }
  const shared = {
    className: classes.wide,
    label,
    "aria-label": `${label} of ${row.name}`,
    placeholder: row.required ? "a value is needed" : "the program's own default",
    error,
    maw: 320,
    value: state.value,
  };
  if (row.several) {
    return (
      <Textarea
        {...shared}
        description="One value per line, passed together"
        rows={rowsOf(state.value)}
        onChange={(event) => change({ value: event.currentTarget.value })}
      />
    );
  }
  return (
    <TextInput
      {...shared}
      autoComplete="off"
      onChange={(event) => change({ value: event.currentTarget.value })}
    />
  );
}
